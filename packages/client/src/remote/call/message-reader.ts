// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError } from "@connectrpc/connect";
import { envelopePrefixBytes } from "@pawl/protocol";

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
    if (this.#rest.byteLength + this.#chunkBytes < wholeBytes(this.#rest)) return [];
    let rest = Buffer.concat([this.#rest, ...this.#chunks]);
    this.#chunks = [];
    this.#chunkBytes = 0;
    const messages: Buffer[] = [];
    for (let sizeBytes = wholeBytes(rest); rest.byteLength >= sizeBytes; ) {
      if (rest[0] !== 0) throw new ConnectError("a message is compressed", Code.Internal);
      messages.push(rest.subarray(envelopePrefixBytes, sizeBytes));
      rest = rest.subarray(sizeBytes);
      sizeBytes = wholeBytes(rest);
    }
    this.#rest = rest;
    return messages;
  }
}

/** Bytes of the message that begins here, as far as can be told: at least its prefix. */
function wholeBytes(bytes: Buffer): number {
  return bytes.byteLength < envelopePrefixBytes
    ? envelopePrefixBytes
    : envelopePrefixBytes + bytes.readUInt32BE(1);
}
