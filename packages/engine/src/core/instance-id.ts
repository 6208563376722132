// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";

// The characters that end keys or break terminals and logs (C0 and C1 controls), and halves of
// characters, which UTF-8 cannot tell apart.
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const forbidden = /[\u0000-\u001f\u007f-\u009f\p{Surrogate}]/u;

/** Why a text cannot be an instance id; `undefined` when it can. */
export function instanceIdFault(instanceId: string): string | undefined {
  if (instanceId === "") return "an instance id is needed";
  // At most three bytes a unit: only long ids need to be counted.
  if (instanceId.length * 3 > limits.instanceIdBytes) {
    const bytes = Buffer.byteLength(instanceId, "utf8");
    if (bytes > limits.instanceIdBytes) {
      return `the instance id has ${bytes} bytes; at most ${limits.instanceIdBytes} are allowed`;
    }
  }
  if (forbidden.test(instanceId)) {
    return "an instance id may not contain control characters or halves of characters";
  }
  return undefined;
}
