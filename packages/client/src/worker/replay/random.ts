// SPDX-License-Identifier: Apache-2.0

/** Numbers and UUIDs that are the same each time for the same seed. Not for secrets. */
export interface SeededRandom {
  /** From 0 (included) to 1. */
  random(): number;
  /** Of version 4. */
  uuid(): string;
}

/**
 * A generator whose numbers follow from the seed. Its algorithm (FNV-1a over the seed's UTF-16
 * units, finished by murmur3's mixer, then sfc32) is part of what replay relies on: it never
 * changes.
 */
export function createSeededRandom(seed: string): SeededRandom {
  const next = sfc32(hash(seed, 1), hash(seed, 2), hash(seed, 3), 1);
  for (let round = 0; round < 12; round += 1) next();
  const hex = (): string => next().toString(16).padStart(8, "0");
  return {
    random: () => ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 2 ** 53,
    uuid() {
      const digits = hex() + hex() + hex() + hex();
      const variant = (0x8 | (Number.parseInt(digits.charAt(16), 16) & 0x3)).toString(16);
      return [
        digits.slice(0, 8),
        digits.slice(8, 12),
        `4${digits.slice(13, 16)}`,
        `${variant}${digits.slice(17, 20)}`,
        digits.slice(20),
      ].join("-");
    },
  };
}

function hash(text: string, salt: number): number {
  let value = 0x811c9dc5 ^ salt;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** Chris Doty-Humphrey's small fast counting generator, 32 bits. */
function sfc32(first: number, second: number, third: number, start: number): () => number {
  let [a, b, c, counter] = [first, second, third, start];
  return () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
}
