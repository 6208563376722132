// SPDX-License-Identifier: Apache-2.0

import { ByteReader } from "./byte-reader.js";

/**
 * Takes a block apart that Snappy has compressed (format_description.txt of Snappy).
 * Throws RangeError when it is not sound.
 */
export function snappyUncompress(compressed: Uint8Array): Uint8Array {
  const reader = new ByteReader(compressed);
  const bytes = new Uint8Array(reader.varint());
  let at = 0;
  while (!reader.isDone) {
    const tag = reader.byte();
    if ((tag & 3) === 0) {
      const literal = reader.take(literalLength(tag >> 2, reader));
      if (at + literal.length > bytes.length) throw new RangeError("more than was announced");
      bytes.set(literal, at);
      at += literal.length;
      continue;
    }
    const { length, offset } = readCopy(tag, reader);
    if (offset === 0 || offset > at || at + length > bytes.length) {
      throw new RangeError("a copy of what is not there");
    }
    // Byte by byte: a copy may overlap itself.
    for (let index = 0; index < length; index += 1)
      bytes[at + index] = bytes[at + index - offset] ?? 0;
    at += length;
  }
  if (at !== bytes.length) throw new RangeError("less than was announced");
  return bytes;
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
