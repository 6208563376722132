// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError } from "@connectrpc/connect";
import { envelopePrefixBytes } from "@pawl/protocol";
import { CollectedBytes } from "../limit/collected-bytes.js";

const compressedFlag = 1;

/**
 * Reads the body of a gRPC call that has one message, with the errors that Connect's handlers have.
 * Holds no more than one message of the size allowed, and a chunk, in twice their bytes.
 */
export class EnvelopeReader {
  readonly #maxBytes: number;
  readonly #kind: string;
  readonly #body = new CollectedBytes();
  /** Bytes of prefix and message together; known once the prefix is there. */
  #wantedBytes = Number.POSITIVE_INFINITY;

  /** @param kind of the method, for people */
  constructor(maxBytes: number, kind: string) {
    this.#maxBytes = maxBytes;
    this.#kind = kind;
  }

  /** Takes what has arrived. @throws ConnectError as soon as it is clear that the body is none */
  add(chunk: Buffer): void {
    this.#body.add(chunk);
    const { sizeBytes } = this.#body;
    if (this.#wantedBytes === Number.POSITIVE_INFINITY && sizeBytes >= envelopePrefixBytes) {
      const messageBytes = this.#body.joined().readUInt32BE(1);
      requireSize(messageBytes, this.#maxBytes);
      this.#wantedBytes = envelopePrefixBytes + messageBytes;
    }
    if (sizeBytes >= this.#wantedBytes + envelopePrefixBytes) {
      throw new ConnectError(
        `protocol error: received extra input message for ${this.#kind} method`,
        Code.Unimplemented,
      );
    }
  }

  /** The message, when the body has ended. @throws ConnectError when there is none, or half of one */
  message(): Uint8Array {
    if (this.#body.sizeBytes === 0) {
      throw new ConnectError(
        `protocol error: missing input message for ${this.#kind} method`,
        Code.Unimplemented,
      );
    }
    if (this.#body.sizeBytes !== this.#wantedBytes) {
      throw new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument);
    }
    const whole = this.#body.joined();
    if (((whole[0] ?? 0) & compressedFlag) !== 0) {
      throw new ConnectError(
        "received compressed envelope, but do not know how to decompress",
        Code.Internal,
      );
    }
    return whole.subarray(envelopePrefixBytes);
  }
}

/** Refuses a message that is too large, in the words of Connect's handlers. @throws ConnectError */
export function requireSize(messageBytes: number, maxBytes: number): void {
  if (messageBytes > maxBytes) {
    const sizes = `${messageBytes} is larger than configured readMaxBytes ${maxBytes}`;
    throw new ConnectError(`message size ${sizes}`, Code.ResourceExhausted);
  }
}
