// SPDX-License-Identifier: Apache-2.0

/** Reads LevelDB's varints and strings one after the other. Throws RangeError past the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** True when all was read. */
  get isDone(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Bytes that were read. */
  get at(): number {
    return this.#at;
  }

  /** A number of up to 53 bits. */
  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw new RangeError("a number is cut short");
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new RangeError("a number is too large");
      if (byte < 0x80) return value;
    }
  }

  /** One byte. */
  byte(): number {
    return this.take(1)[0] ?? 0;
  }

  /** A number of that many bytes, the least first. */
  little(length: number): number {
    return this.take(length).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  /** That many bytes. */
  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError("bytes are cut short");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** Bytes after their length. */
  string(): Uint8Array {
    return this.take(this.varint());
  }
}
