// SPDX-License-Identifier: Apache-2.0

import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";

const lengthBytes = 4;

/** Reads the one message, with its length in front, that a stream holds up to its end. */
export async function readDelimited(source: Readable): Promise<Uint8Array> {
  const bytes = await buffer(source);
  const length = bytes.readUInt32BE(0);
  if (bytes.length !== lengthBytes + length) {
    throw new Error(`a message of ${length} bytes was announced; ${bytes.length} came in all`);
  }
  return bytes.subarray(lengthBytes);
}

/** A message with its length in front. */
export function toDelimited(message: Uint8Array): Uint8Array {
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}
