// SPDX-License-Identifier: Apache-2.0

import type { Compression } from "@connectrpc/connect/protocol";
import type { MessageCount } from "./message-count.js";

const prefixBytes = 5;
const compressedFlag = 1;

/**
 * A request's body of messages with a prefix each, as gRPC, gRPC-Web and Connect's streams have them. It fails
 * before the last piece of a message that has too many in it. Compressed ones: see `countDecompressed`.
 */
export async function* countedEnvelopes(
  body: AsyncIterable<Uint8Array>,
  count: MessageCount,
): AsyncGenerator<Uint8Array> {
  const prefix = Buffer.alloc(prefixBytes);
  let prefixLength = 0;
  let left = 0;
  let held: Uint8Array[] | undefined;
  for await (const chunk of body) {
    for (let at = 0; at < chunk.byteLength; ) {
      if (left === 0) {
        prefix[prefixLength] = chunk[at] ?? 0;
        prefixLength += 1;
        at += 1;
        if (prefixLength < prefixBytes) continue;
        prefixLength = 0;
        left = prefix.readUInt32BE(1);
        const isPlain = ((prefix[0] ?? 0) & compressedFlag) === 0;
        held = isPlain && count.concerns(left) ? [] : undefined;
      }
      const part = chunk.subarray(at, at + left);
      at += part.byteLength;
      left -= part.byteLength;
      held?.push(part);
      if (left === 0 && held !== undefined) {
        count.require(Buffer.concat(held));
        held = undefined;
      }
    }
    yield chunk;
  }
}

/** A request's body that is one message. It fails at its end when that has too many in it. */
export async function* countedBody(
  body: AsyncIterable<Uint8Array>,
  count: MessageCount,
): AsyncGenerator<Uint8Array> {
  const held: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    held.push(chunk);
    sizeBytes += chunk.byteLength;
    yield chunk;
  }
  if (count.concerns(sizeBytes)) {
    count.require(Buffer.concat(held));
  }
}

/** The same compression, which refuses messages that have too many in them. */
export function countDecompressed(compression: Compression, count: MessageCount): Compression {
  return {
    ...compression,
    async decompress(bytes, readMaxBytes) {
      const message = await compression.decompress(bytes, readMaxBytes);
      count.require(message);
      return message;
    },
  };
}
