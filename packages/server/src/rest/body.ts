// SPDX-License-Identifier: Apache-2.0

import { DaprError } from "../dapr/error.js";
import { CollectedBytes } from "../limit/collected-bytes.js";
import type { HttpRequest } from "../listen.js";

/**
 * Reads a request's body whole.
 * Rejects with ERR_BODY_READ when it is larger than `limitBytes` or does not arrive. What is over the
 * limit is read and thrown away, so that the caller gets to read the answer.
 */
export function readBody(request: HttpRequest, limitBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const body = new CollectedBytes();
    let isTooLarge = false;
    request.on("data", (chunk: Buffer) => {
      isTooLarge ||= body.sizeBytes + chunk.length > limitBytes;
      if (!isTooLarge) {
        body.add(chunk);
      } else {
        body.clear();
        reject(unreadable(`stream too large: at most ${limitBytes} bytes are taken`));
      }
    });
    request.once("end", () => resolve(body.joined()));
    request.once("error", () => reject(unreadable("unexpected end of stream")));
    request.once("close", () => reject(unreadable("unexpected end of stream")));
  });
}

function unreadable(cause: string): DaprError {
  return DaprError.of("ERR_BODY_READ", `failed to read request body: ${cause}`);
}
