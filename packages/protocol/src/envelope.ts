// SPDX-License-Identifier: Apache-2.0

/** Bytes in front of a gRPC message: flags, and its length as four bytes. */
export const envelopePrefixBytes = 5;

/** An empty message with its prefix. */
const emptyEnvelope = new Uint8Array(envelopePrefixBytes);

/** A gRPC message with its prefix, uncompressed. */
export function toEnvelope(message: Uint8Array): Uint8Array {
  if (message.byteLength === 0) return emptyEnvelope;
  const envelope = Buffer.allocUnsafe(envelopePrefixBytes + message.byteLength);
  envelope[0] = 0;
  envelope.writeUInt32BE(message.byteLength, 1);
  envelope.set(message, envelopePrefixBytes);
  return envelope;
}
