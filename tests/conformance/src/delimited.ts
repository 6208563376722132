// SPDX-License-Identifier: Apache-2.0

import type { Readable } from "node:stream";

const lengthBytes = 4;

/** Reads a message with its length in front; the stream stays open. */
export async function readDelimited(source: Readable): Promise<Uint8Array> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of source.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    if (bytes.length >= lengthBytes && bytes.length >= lengthBytes + bytes.readUInt32BE(0)) {
      return bytes.subarray(lengthBytes, lengthBytes + bytes.readUInt32BE(0));
    }
  }
  throw new Error(`the stream ended after ${bytes.length} bytes of a message`);
}

/** A message with its length in front. */
export function toDelimited(message: Uint8Array): Uint8Array {
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}
