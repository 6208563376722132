// SPDX-License-Identifier: Apache-2.0

import { ByteReader } from "./byte-reader.js";

/** No stretch of compressed bytes becomes more than this many times as long: a copy of 64 bytes has 3. */
const maxRatio = 22;

/**
 * Takes a block apart that Snappy has compressed (format_description.txt of Snappy).
 * Throws RangeError when it is not sound.
 */
export function snappyUncompress(compressed: Uint8Array): Uint8Array {
  const { content, length } = snappyPrefix(compressed);
  if (length !== compressed.length) throw new RangeError("more than was announced");
  return content;
}

/**
 * Takes apart what Snappy has compressed where other bytes follow it: it says itself how much it becomes.
 * Throws RangeError when it is not sound.
 * @returns what it becomes, and how many of the bytes it was
 */
export function snappyPrefix(bytes: Uint8Array): { content: Uint8Array; length: number } {
  const reader = new ByteReader(bytes);
  const announced = reader.varint();
  if (announced > maxRatio * bytes.length) throw new RangeError("less than was announced");
  const content = new Uint8Array(announced);
  for (let at = 0; at < announced; ) at += takePiece(reader, content, at);
  return { content, length: reader.at };
}

/** Takes one literal or copy; returns its length. */
function takePiece(reader: ByteReader, content: Uint8Array, at: number): number {
  const tag = reader.byte();
  if ((tag & 3) === 0) {
    const literal = reader.take(literalLength(tag >> 2, reader));
    if (at + literal.length > content.length) throw new RangeError("more than was announced");
    content.set(literal, at);
    return literal.length;
  }
  const { length, offset } = readCopy(tag, reader);
  if (offset === 0 || offset > at || at + length > content.length) {
    throw new RangeError("a copy of what is not there");
  }
  // Byte by byte: a copy may overlap itself.
  for (let index = 0; index < length; index += 1) {
    content[at + index] = content[at + index - offset] ?? 0;
  }
  return length;
}

function literalLength(code: number, reader: ByteReader): number {
  return 1 + (code < 60 ? code : reader.little(code - 59));
}

function readCopy(tag: number, reader: ByteReader): { length: number; offset: number } {
  if ((tag & 3) === 1) {
    return { length: 4 + ((tag >> 2) & 7), offset: (tag >> 5) * 256 + reader.byte() };
  }
  return { length: 1 + (tag >> 2), offset: reader.little((tag & 3) === 2 ? 2 : 4) };
}
