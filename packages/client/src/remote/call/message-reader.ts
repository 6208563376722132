// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError } from "@connectrpc/connect";

/** Bytes in front of a gRPC message: flags, and its length as four bytes. */
const prefixBytes = 5;

/** Cuts what arrives on a gRPC stream into messages. */
export class MessageReader {
  #rest: Buffer = Buffer.alloc(0);
  /** What arrived of a message that is not whole, so that it is joined once. */
  #chunks: Buffer[] = [];
  #chunkBytes = 0;

  /** Takes what has arrived, and returns the messages that are whole. @throws ConnectError */
  read(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.byteLength;
    if (this.#rest.byteLength + this.#chunkBytes < this.#wantedBytes()) return [];
    let rest = Buffer.concat([this.#rest, ...this.#chunks]);
    this.#chunks = [];
    this.#chunkBytes = 0;
    const messages: Buffer[] = [];
    for (let sizeBytes = wholeBytes(rest); rest.byteLength >= sizeBytes; ) {
      if (rest[0] !== 0) throw new ConnectError("a message is compressed", Code.Internal);
      messages.push(rest.subarray(prefixBytes, sizeBytes));
      rest = rest.subarray(sizeBytes);
      sizeBytes = wholeBytes(rest);
    }
    this.#rest = rest;
    return messages;
  }

  #wantedBytes(): number {
    return wholeBytes(this.#rest);
  }
}

/** Bytes of the message that begins here, as far as can be told: at least its prefix. */
function wholeBytes(bytes: Buffer): number {
  return bytes.byteLength < prefixBytes ? prefixBytes : prefixBytes + bytes.readUInt32BE(1);
}

/** A message with its prefix, uncompressed. */
export function toEnvelope(message: Uint8Array): Buffer {
  const envelope = Buffer.allocUnsafe(prefixBytes + message.byteLength);
  envelope[0] = 0;
  envelope.writeUInt32BE(message.byteLength, 1);
  envelope.set(message, prefixBytes);
  return envelope;
}
