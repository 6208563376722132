// SPDX-License-Identifier: Apache-2.0

import type { WireType } from "@bufbuild/protobuf/wire";

/** Texts of up to so many units are written unit by unit: ids are 36 to 40, and a native call costs more. */
const shortText = 64;
const firstBytes = 1024;
const encoder = new TextEncoder();

const slabBytes = 32 * 1024;
let slab = new ArrayBuffer(slabBytes);
let slabUsed = 0;

/** Memory of this size, of a slab that many messages share, unless it is large. */
function takeShared(length: number): Uint8Array {
  if (length > slabBytes / 8) return new Uint8Array(length);
  if (slabUsed + length > slabBytes) {
    slab = new ArrayBuffer(slabBytes);
    slabUsed = 0;
  }
  const shared = new Uint8Array(slab, slabUsed, length);
  slabUsed += length;
  return shared;
}

/**
 * Writes fields in protobuf's form, with the method names of the library's `BinaryWriter`. What that one
 * gives back is memory of its own for each message, which takes a microsecond to get and more to free; a part of
 * memory that is shared takes a fifteenth of that, and an id is written in a quarter of the time.
 */
export class ByteWriter {
  #bytes = new Uint8Array(firstBytes);
  #length = 0;
  readonly #forks: number[] = [];

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  tag(field: number, type: WireType): this {
    return this.#varint(((field << 3) | type) >>> 0);
  }

  /** @throws Error for anything but an integer of 32 bits without a sign */
  uint32(value: number): this {
    if (value >>> 0 !== value) throw new Error(`invalid uint32: ${value}`);
    return this.#varint(value);
  }

  /** @throws Error for anything but an integer of 32 bits */
  int32(value: number): this {
    if ((value | 0) !== value) throw new Error(`invalid int32: ${value}`);
    return value < 0 ? this.#negative(value) : this.#varint(value);
  }

  /** @throws RangeError for a number that is no integer */
  int64(value: bigint | number): this {
    this.#reserve(10);
    // Instants are such, and numbers are quicker than big integers.
    const number = Number(value);
    if (number >= 0 && Number.isSafeInteger(number)) return this.#wide(number);
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) this.#put(Number(rest & 0x7fn) | 0x80);
    this.#put(Number(rest));
    return this;
  }

  bool(value: boolean): this {
    return this.#varint(value ? 1 : 0);
  }

  fixed32(value: number): this {
    this.#reserve(4);
    for (let shift = 0; shift < 32; shift += 8) this.#put((value >>> shift) & 0xff);
    return this;
  }

  /** A text with its length. */
  string(value: string): this {
    if (value.length > shortText || !this.#ascii(value)) {
      this.fork().#utf8(value).join();
    }
    return this;
  }

  /** Bytes with their length. */
  bytes(value: Uint8Array): this {
    return this.#varint(value.length).raw(value);
  }

  /** Bytes as they are. */
  raw(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  /** Begins something whose length goes before it; `join` ends it. */
  fork(): this {
    this.#forks.push(this.#length);
    this.#reserve(1);
    // Most are shorter than 128 bytes, and their length takes one byte.
    this.#length += 1;
    return this;
  }

  join(): this {
    const start = this.#forks.pop();
    if (start === undefined) throw new Error("a join without a fork");
    const end = this.#length;
    const length = end - start - 1;
    let lengthBytes = 1;
    for (let rest = length >>> 7; rest > 0; rest >>>= 7) lengthBytes += 1;
    if (lengthBytes > 1) {
      this.#reserve(lengthBytes - 1);
      this.#bytes.copyWithin(start + lengthBytes, start + 1, end);
    }
    this.#length = start;
    this.#varint(length);
    this.#length = start + lengthBytes + length;
    return this;
  }

  /** What was written, in memory that it shares: while it is there, all that it shares with stays, too. */
  finish(): Uint8Array {
    return this.#finishInto(takeShared(this.#length));
  }

  /** What was written, in memory of its own: for what is kept. */
  finishToKeep(): Uint8Array {
    return this.#finishInto(new Uint8Array(this.#length));
  }

  #finishInto(result: Uint8Array): Uint8Array {
    result.set(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return result;
  }

  /** True when the text was ASCII, and so has been written. */
  #ascii(value: string): boolean {
    const { length } = value;
    this.#reserve(length + 1);
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = length;
    for (let index = 0; index < length; index += 1) {
      const unit = value.charCodeAt(index);
      if (unit > 0x7f) return false;
      bytes[at++] = unit;
    }
    this.#length = at;
    return true;
  }

  #utf8(value: string): this {
    // A unit takes three bytes at most.
    this.#reserve(value.length * 3);
    this.#length += encoder.encodeInto(value, this.#bytes.subarray(this.#length)).written;
    return this;
  }

  #varint(value: number): this {
    this.#reserve(5);
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.#put((rest & 0x7f) | 0x80);
    this.#put(rest);
    return this;
  }

  /** As 64 bits, the upper of which are all set: every event that no action asked for has an id of -1. */
  #negative(value: number): this {
    this.#reserve(10);
    let rest = value;
    for (let count = 0; count < 9; count += 1) {
      this.#put((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.#put(1);
    return this;
  }

  #wide(value: number): this {
    // Seconds are such: shifts are quicker than divisions.
    if (value <= 0x7fff_ffff) return this.#varint(value);
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) this.#put((rest % 0x80) | 0x80);
    this.#put(rest);
    return this;
  }

  #put(byte: number): void {
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }

  #reserve(more: number): void {
    const wanted = this.#length + more;
    if (wanted <= this.#bytes.length) return;
    let size = this.#bytes.length;
    while (size < wanted) size *= 2;
    const larger = new Uint8Array(size);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
