// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import { DaprError } from "../../dapr/error.js";
import { readBody } from "../body.js";
import type { RestCall } from "../router.js";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The body as text, never parsed; `undefined` when it is empty. */
export async function readPayload(call: RestCall): Promise<string | undefined> {
  return decodePayload(await readBody(call.request, call.bodyLimitBytes));
}

/**
 * Bytes as the text of a payload; `undefined` when there are none.
 * @throws ERR_MALFORMED_REQUEST, ERR_PAYLOAD_TOO_LARGE
 */
export function decodePayload(bytes: Uint8Array): string | undefined {
  if (bytes.length > limits.payloadBytes) {
    throw DaprError.of(
      "ERR_PAYLOAD_TOO_LARGE",
      `the payload has ${bytes.length} bytes; at most ${limits.payloadBytes} are allowed`,
    );
  }
  try {
    return bytes.length === 0 ? undefined : utf8.decode(bytes);
  } catch {
    throw DaprError.of("ERR_MALFORMED_REQUEST", "the payload is not valid UTF-8 text");
  }
}
