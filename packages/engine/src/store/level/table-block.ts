// SPDX-License-Identifier: Apache-2.0

import { ByteReader } from "./byte-reader.js";
import { maskedCrc32c } from "./crc32c.js";
import { keyTailBytes, userKey } from "./manifest.js";
import { snappyPrefix, snappyUncompress } from "./snappy.js";

// The format of a block of a table (doc/table_format.md): entries, each key a beginning of the one before
// and a rest; the places of those whose key is whole, and their number (4 bytes each, the least first).
// Behind it its type (1: compressed by Snappy) and the checksum of both.

/** Bytes behind a block: its type (1) and its checksum (4). */
export const trailerBytes = 5;
const plainType = 0;
const snappyType = 1;

/** An entry of any block, with its key as it stands there. */
export interface BlockEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A write of a key, as a table has it. */
export interface TableEntry {
  readonly key: Uint8Array;
  /** Undefined: the key was deleted. */
  readonly value: Uint8Array | undefined;
}

/** True when a block with its trailer is as it was written. */
export function isSound(block: Buffer): boolean {
  const checked = block.subarray(0, block.length - 4);
  return maskedCrc32c(checked) === block.readUInt32LE(block.length - 4);
}

/** What is in a sound block with its trailer. Throws RangeError when it cannot be taken apart. */
export function contentOf(block: Buffer): Uint8Array {
  const content = block.subarray(0, block.length - trailerBytes);
  return block[content.length] === snappyType ? snappyUncompress(content) : content;
}

/** The entries of a block's content. Throws RangeError when it cannot be understood. */
export function readEntries(content: Uint8Array): BlockEntry[] {
  const view = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const restarts = view.readUInt32LE(content.length - 4);
  const reader = new ByteReader(content.subarray(0, content.length - 4 - 4 * restarts));
  const entries: BlockEntry[] = [];
  let key: Uint8Array = new Uint8Array();
  while (!reader.isDone) {
    const shared = reader.varint();
    const rest = reader.varint();
    const length = reader.varint();
    key = Buffer.concat([key.subarray(0, shared), reader.take(rest)]);
    entries.push({ key, value: reader.take(length) });
  }
  return entries;
}

/** An entry of a table as the write that it was. */
export function writeOf({ key, value }: BlockEntry): TableEntry {
  const isPut = key[key.length - keyTailBytes] === 1;
  return { key: userKey(key), value: isPut ? value : undefined };
}

/**
 * The block of entries that begins at a place whose end nobody tells: it ends where it has said all, and a
 * checksum that fits stands behind it. Undefined: no sound one begins there.
 */
export function findBlock(
  table: Buffer,
  at: number,
): { readonly entries: readonly BlockEntry[]; readonly length: number } | undefined {
  const bytes = table.subarray(at);
  try {
    return findPlain(bytes) ?? findCompressed(bytes);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function findPlain(bytes: Buffer): ReturnType<typeof findBlock> {
  const length = plainLength(bytes);
  if (length === undefined || !endsSoundly(bytes, length, plainType)) return undefined;
  return { entries: readEntries(bytes.subarray(0, length)), length: length + trailerBytes };
}

function findCompressed(bytes: Buffer): ReturnType<typeof findBlock> {
  const { content, length } = snappyPrefix(bytes);
  if (!endsSoundly(bytes, length, snappyType)) return undefined;
  return { entries: readEntries(content), length: length + trailerBytes };
}

function endsSoundly(bytes: Buffer, length: number, type: number): boolean {
  const block = bytes.subarray(0, length + trailerBytes);
  return block.length === length + trailerBytes && block[length] === type && isSound(block);
}

/** Where a block that is not compressed ends; undefined when none can begin here. */
function plainLength(bytes: Buffer): number | undefined {
  try {
    const reader = new ByteReader(bytes);
    for (;;) {
      const entryAt = reader.at;
      const shared = reader.varint();
      const rest = reader.varint();
      // No key is empty: here stands the place of the first whole key, which is 0.
      if (shared === 0 && rest === 0) return restartsEnd(bytes, entryAt);
      const length = reader.varint();
      reader.take(rest);
      reader.take(length);
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * Behind the places of whole keys stands their number. A place is greater than its own: an entry before it
 * has more bytes than one.
 */
function restartsEnd(bytes: Buffer, restartsAt: number): number | undefined {
  let last = -1;
  for (let count = 0; ; count += 1) {
    const next = bytes.readUInt32LE(restartsAt + 4 * count);
    if (count > 0 && next === count) return restartsAt + 4 * (count + 1);
    if (next <= last || next >= restartsAt) return undefined;
    last = next;
  }
}
