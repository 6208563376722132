// SPDX-License-Identifier: Apache-2.0

import { type FileHandle, open } from "node:fs/promises";
import { filterAt } from "./bloom-filter.js";
import { ByteReader } from "./byte-reader.js";
import { maskedCrc32c } from "./crc32c.js";
import { keyTailBytes, userKey } from "./manifest.js";
import { snappyUncompress } from "./snappy.js";

// The format of LevelDB's tables (doc/table_format.md): blocks one after the other, each with its type (1
// byte) and checksum (4 bytes) behind it; at the end a footer that says where the index is. LevelDB does
// not look at the checksums when it reads, and may end the process on what it finds in a changed block.

const footerBytes = 48;
const trailerBytes = 5;
const magic = Buffer.from("57fb808b247547db", "hex");
const badIndex = "its index is damaged";
/** Read at a time. */
const readBytes = 1 << 20;

/** Where a block is. */
interface Place {
  readonly at: number;
  readonly length: number;
}

/** A part of a table that is not as it was written. */
export interface TableFault {
  readonly what: string;
  /** Only some blocks of entries, or a filter, are damaged: all else in the table can be read. */
  readonly isConfined: boolean;
}

/** A block of entries, as it stands in a table. */
export interface TableBlock {
  /** Where it begins. */
  readonly offset: number;
  /** Only keys after this one are in it; undefined: it is the first block. */
  readonly after: Uint8Array | undefined;
  /** No key after this one is in it. */
  readonly upTo: Uint8Array;
  /** The Bloom filter of its keys; undefined: there is none that can be read. */
  readonly filter: Uint8Array | undefined;
  /** Its entries in order; of several with one key, the newest is the first. Undefined: it is damaged. */
  readonly entries: readonly TableEntry[] | undefined;
}

/** A write of a key, as a table has it. */
export interface TableEntry {
  readonly key: Uint8Array;
  /** Undefined: the key was deleted. */
  readonly value: Uint8Array | undefined;
}

/** Told of bytes as they are read; no more are read before it resolves. */
type OnRead = (bytes: number) => void | Promise<void>;

/**
 * Reads a table whole and checks every byte of it.
 * @returns what is not sound
 */
export async function checkTable(path: string, onRead: OnRead = () => {}): Promise<TableFault[]> {
  const file = await open(path, "r");
  try {
    return await checkOpenTable(file, onRead);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [{ what: error.message, isConfined: false }];
  } finally {
    await file.close();
  }
}

/**
 * The greatest key of a table that is less than `bound`; undefined: there is none. Throws RangeError when
 * the table cannot be read there.
 */
export async function lastKeyBefore(
  path: string,
  bound: Uint8Array,
): Promise<Uint8Array | undefined> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const { index } = readFooter(await read(file, Math.max(0, size - footerBytes), footerBytes));
    const entries = readEntries(await readBlock(file, index, "index"));
    const found = entries.findIndex(({ key }) => Buffer.compare(userKey(key), bound) >= 0);
    // The key may be in the block that reaches past the bound, or be the last of the one before.
    const last = found < 0 ? entries.length - 1 : found;
    for (const { value } of [entries[last], entries[last - 1]].flatMap((entry) => entry ?? [])) {
      const block = await readBlock(file, readPlace(new ByteReader(value)), "block of commits");
      const keys = readEntries(block).map(({ key }) => userKey(key));
      const less = keys.filter((key) => Buffer.compare(key, bound) < 0);
      if (less.length > 0) return less.at(-1);
    }
    return undefined;
  } finally {
    await file.close();
  }
}

/**
 * The blocks of a table one after the other, those that are damaged, too. Throws RangeError when it cannot
 * be told where they are.
 */
export async function* readBlocks(path: string): AsyncGenerator<TableBlock, void> {
  const file = await open(path, "r");
  try {
    const { blocks, filters } = await readIndex(file);
    let after: Uint8Array | undefined;
    for (const { upTo, place } of blocks) {
      const filter = filters && filterAt(filters, place.at);
      const entries = await readUserEntries(file, place);
      yield { offset: place.at, after, upTo, filter, entries };
      after = upTo;
    }
  } finally {
    await file.close();
  }
}

/** What a table's index says of it. */
interface TableIndex {
  readonly blocks: readonly { readonly upTo: Uint8Array; readonly place: Place }[];
  /** The block of filters; undefined: there is none that can be read. */
  readonly filters: Uint8Array | undefined;
  readonly faults: readonly TableFault[];
}

/** Throws RangeError when the index cannot be read, or does not fit the file. */
async function readIndex(file: FileHandle): Promise<TableIndex> {
  const { size } = await file.stat();
  const footer = await read(file, Math.max(0, size - footerBytes), footerBytes);
  const { meta, index } = readFooter(footer);
  const entries = readEntries(await readBlock(file, index, "index"));
  const blocks = entries.map(({ key, value }) => {
    return { upTo: userKey(key), place: readPlace(new ByteReader(value)) };
  });
  const places = blocks.map(({ place }) => place);
  try {
    const list = readEntries(await readBlock(file, meta, "list of filters"));
    const others = list.map(({ value }) => readPlace(new ByteReader(value)));
    requireTiling([...places, ...others, meta, index], size - footerBytes);
    const [first] = others;
    const filters = first && (await readBlock(file, first, "filter"));
    return { blocks, filters, faults: [] };
  } catch (error) {
    if (!(error instanceof RangeError) || error.message === badIndex) throw error;
    // Who reads past the filters misses no entry.
    return { blocks, filters: undefined, faults: [{ what: error.message, isConfined: true }] };
  }
}

/** Undefined when the block is damaged. */
async function readUserEntries(file: FileHandle, place: Place): Promise<TableEntry[] | undefined> {
  try {
    const entries = readEntries(await readBlock(file, place, "block"));
    return entries.map(({ key, value }) => {
      const isPut = key[key.length - keyTailBytes] === 1;
      return { key: userKey(key), value: isPut ? value : undefined };
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

async function checkOpenTable(file: FileHandle, onRead: OnRead): Promise<TableFault[]> {
  const { blocks, faults } = await readIndex(file);
  return [...faults, ...(await checkBlocks(file, blocks, onRead))];
}

function readFooter(footer: Buffer): { meta: Place; index: Place } {
  if (!footer.subarray(footerBytes - magic.length).equals(magic)) {
    throw new RangeError("its footer is damaged");
  }
  const places = new ByteReader(footer);
  return { meta: readPlace(places), index: readPlace(places) };
}

async function checkBlocks(
  file: FileHandle,
  blocks: TableIndex["blocks"],
  onRead: OnRead,
): Promise<TableFault[]> {
  const faults: TableFault[] = [];
  let piece: Buffer = Buffer.alloc(0);
  let pieceAt = 0;
  for (const { place } of blocks) {
    const length = place.length + trailerBytes;
    if (place.at + length > pieceAt + piece.length) {
      piece = await read(file, place.at, Math.max(readBytes, length), "some");
      pieceAt = place.at;
      await onRead(piece.length);
    }
    const block = piece.subarray(place.at - pieceAt, place.at - pieceAt + length);
    if (block.length === length && isSound(block)) continue;
    faults.push({ what: `its block at byte ${place.at} is damaged`, isConfined: true });
  }
  return faults;
}

/** Every byte belongs to one block: none is left that no checksum guards. */
function requireTiling(places: readonly Place[], end: number): void {
  let at = 0;
  for (const place of places) {
    if (place.at !== at) throw new RangeError(badIndex);
    at = place.at + place.length + trailerBytes;
  }
  if (at !== end) throw new RangeError(badIndex);
}

function isSound(block: Buffer): boolean {
  const checked = block.subarray(0, block.length - 4);
  return maskedCrc32c(checked) === block.readUInt32LE(block.length - 4);
}

async function readBlock(
  file: FileHandle,
  { at, length }: Place,
  what: string,
): Promise<Uint8Array> {
  const block = await read(file, at, length + trailerBytes);
  if (!isSound(block)) throw new RangeError(`its ${what} is damaged`);
  const content = block.subarray(0, length);
  return block[length] === 1 ? snappyUncompress(content) : content;
}

function readPlace(reader: ByteReader): Place {
  return { at: reader.varint(), length: reader.varint() };
}

/** The entries of a block: each key is a beginning of the one before and a rest. */
function readEntries(block: Uint8Array): { key: Uint8Array; value: Uint8Array }[] {
  const view = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  const restarts = view.readUInt32LE(block.length - 4);
  const reader = new ByteReader(block.subarray(0, block.length - 4 - 4 * restarts));
  const entries: { key: Uint8Array; value: Uint8Array }[] = [];
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

/** Reads bytes; "some": fewer where the file ends. Throws RangeError when they are not there. */
async function read(
  file: FileHandle,
  at: number,
  length: number,
  need: "all" | "some" = "all",
): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(buffer, 0, length, at);
  if (bytesRead < length && need === "all") throw new RangeError("it is cut short");
  return buffer.subarray(0, bytesRead);
}
