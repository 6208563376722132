// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import type { Instance } from "@pawl/protocol/port";

/** The room that a page has for payloads: what bounds the memory that a list takes. */
export class PayloadRoom {
  #usedBytes = 0;

  /** Takes an instance's payloads up. False when the page has no room for them; nothing is too large for an empty one. */
  admits(instance: Instance): boolean {
    const isEmpty = this.#usedBytes === 0;
    this.#usedBytes += payloadBytesOf(instance);
    return isEmpty || this.#usedBytes <= limits.pagePayloadBytes;
  }
}

function payloadBytesOf({ input, output, customStatus, failure }: Instance): number {
  const texts = [input, output, customStatus, failure && JSON.stringify(failure)];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ""), 0);
}
