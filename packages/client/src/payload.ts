// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import { PawlError } from "./errors.js";

/**
 * Turns a value into JSON text. `undefined` is absent; null, 0, "" and false are values.
 * @throws PAYLOAD_TOO_LARGE when the text is over the limit; INVALID_ARGUMENT when JSON cannot say
 * the value (a bigint, a cycle)
 */
export function stringifyPayload(value: unknown): string | undefined {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new PawlError("INVALID_ARGUMENT", `not a JSON value: ${String(cause)}`, { cause });
  }
  if (text !== undefined && isTooLarge(text)) {
    throw new PawlError(
      "PAYLOAD_TOO_LARGE",
      `a payload has at most ${limits.payloadBytes} bytes of JSON text`,
      { details: { limitBytes: String(limits.payloadBytes) } },
    );
  }
  return text;
}

/**
 * Turns JSON text into a value; absent or empty text is `undefined`. Text that is not JSON, which
 * clients in other languages may send, is handed over as it is.
 */
export function parsePayload(text: string | undefined): unknown {
  if (text === undefined || text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Text of a custom status. A string is stored as it is, for people who read it elsewhere, unless it
 * would be read back as something else.
 */
export function stringifyStatus(status: unknown): string | undefined {
  const isPlain = typeof status === "string" && parsePayload(status) === status;
  return isPlain ? status : stringifyPayload(status);
}

/** Most payloads are far below the limit: a UTF-16 unit never takes more than three bytes. */
function isTooLarge(text: string): boolean {
  if (text.length * 3 <= limits.payloadBytes) return false;
  return new TextEncoder().encode(text).length > limits.payloadBytes;
}
