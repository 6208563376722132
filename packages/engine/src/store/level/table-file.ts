// SPDX-License-Identifier: Apache-2.0

import { type FileHandle, open } from "node:fs/promises";
import { hasCode } from "../side-file.js";
import { filterAt } from "./bloom-filter.js";
import { ByteReader } from "./byte-reader.js";
import { type TableFact, userKey } from "./manifest.js";
import {
  contentOf,
  isSound,
  readEntries,
  type TableEntry,
  trailerBytes,
  writeOf,
} from "./table-block.js";
import { restOf, scanBlocks, type TableBlock } from "./table-scan.js";

// The format of LevelDB's tables (doc/table_format.md): blocks one after the other; at the end a footer
// that says where the index is. LevelDB does not look at the checksums when it reads, and may end the
// process on what it finds in a changed block. What the index is to tell can also be found without it.

const footerBytes = 48;
const magic = Buffer.from("57fb808b247547db", "hex");
const badIndex = "its index is damaged";
/** Read at a time. */
const readBytes = 1 << 20;
/** Read at a time where the disk may not read all: what is lost with one bad place. */
const pageBytes = 1 << 12;

/**
 * What the operating system says where a disk does not give what was written: of the medium, or of a file
 * system that checks its blocks. Others, as of too many open files, say nothing of what is on it.
 */
const diskErrors = new Set(["EIO", "EBADMSG", "EUCLEAN", "ENODATA", "EREMOTEIO"]);

/** True for the error of a disk that cannot read what was written. */
export function isDiskError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && diskErrors.has(String(error.code));
}

/** Where a block is. */
interface Place {
  readonly at: number;
  readonly length: number;
}

/** A part of a table that is not as it was written. */
export interface TableFault {
  readonly what: string;
  /** Only some blocks of entries are damaged, or what is beside them: all else in the table can be read. */
  readonly isConfined: boolean;
}

/** Told of bytes as they are read; no more are read before it resolves. */
type OnRead = (bytes: number) => void | Promise<void>;

/**
 * Reads a table whole and checks every byte of it.
 * @returns what is not sound
 */
export async function checkTable(
  path: string,
  fact: TableFact,
  onRead: OnRead = () => {},
): Promise<TableFault[]> {
  let file: FileHandle | undefined;
  try {
    file = await openTable(path);
    return await checkOpenTable(file, fact, onRead);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    if (file === undefined) return [{ what: error.message, isConfined: false }];
    return [await describeWithoutIndex(file, fact, error.message)];
  } finally {
    await file?.close();
  }
}

/**
 * The greatest key of a table that is less than `bound`; undefined: there is none. Throws RangeError when
 * the table cannot be read there.
 */
export async function lastKeyBefore(
  path: string,
  fact: TableFact,
  bound: Uint8Array,
): Promise<Uint8Array | undefined> {
  const file = await openTable(path);
  try {
    const { index } = await readFooter(file, fact);
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
 * The blocks of a table one after the other, those that are damaged, too. Where its index cannot be read,
 * they are looked for one behind the other; what cannot be found comes last, as one.
 */
export async function* readBlocks(path: string, fact: TableFact): AsyncGenerator<TableBlock, void> {
  const file = await openTable(path).catch(unlessGone);
  if (file === undefined) {
    yield restOf(fact);
    return;
  }
  try {
    const index = await readIndex(file, fact).catch(unlessUnreadable);
    if (index === undefined) {
      yield* scanBlocks(await readAll(file, fact.sizeBytes), fact);
      return;
    }
    let after: Uint8Array | undefined;
    for (const { upTo, place } of index.blocks) {
      const filter = index.filters && filterAt(index.filters, place.at);
      const entries = await readUserEntries(file, place);
      yield { offset: place.at, isRest: false, after, upTo, filter, entries };
      after = upTo;
    }
  } finally {
    await file.close();
  }
}

/** What of a table can be read though its index cannot. */
async function describeWithoutIndex(
  file: FileHandle,
  fact: TableFact,
  what: string,
): Promise<TableFault> {
  const table = await readAll(file, fact.sizeBytes);
  for (const { entries, offset } of scanBlocks(table, fact)) {
    if (entries !== undefined) continue;
    return { what: `${what}, and nothing can be read from byte ${offset} on`, isConfined: false };
  }
  return { what, isConfined: true };
}

/** Opens a table's file. Throws RangeError where the disk cannot read it. */
function openTable(path: string): Promise<FileHandle> {
  return open(path, "r").catch(unreadable);
}

/** @throws any other error */
function unlessGone(error: unknown): undefined {
  if (!(error instanceof RangeError || hasCode(error, "ENOENT"))) throw error;
}

/** @throws any other error */
function unlessUnreadable(error: unknown): undefined {
  if (!(error instanceof RangeError)) throw error;
}

/** What a table's index says of it. */
interface TableIndex {
  readonly blocks: readonly { readonly upTo: Uint8Array; readonly place: Place }[];
  /** The block of filters; undefined: there is none that can be read. */
  readonly filters: Uint8Array | undefined;
  readonly faults: readonly TableFault[];
}

/** Throws RangeError when the index cannot be read, or does not fit the file. */
async function readIndex(file: FileHandle, fact: TableFact): Promise<TableIndex> {
  const { meta, index } = await readFooter(file, fact);
  const entries = readEntries(await readBlock(file, index, "index"));
  const blocks = entries.map(({ key, value }) => {
    return { upTo: userKey(key), place: readPlace(new ByteReader(value)) };
  });
  const filtersAt = tile(
    blocks.map(({ place }) => place),
    0,
  );
  try {
    const list = readEntries(await readBlock(file, meta, "list of filters"));
    const others = list.map(({ value }) => readPlace(new ByteReader(value)));
    const end = tile([...others, meta, index], filtersAt);
    if (end !== fact.sizeBytes - footerBytes) throw new RangeError(badIndex);
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
    return readEntries(await readBlock(file, place, "block")).map(writeOf);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

async function checkOpenTable(
  file: FileHandle,
  fact: TableFact,
  onRead: OnRead,
): Promise<TableFault[]> {
  const { blocks, faults } = await readIndex(file, fact);
  return [...faults, ...(await checkBlocks(file, blocks, onRead))];
}

async function readFooter(
  file: FileHandle,
  { sizeBytes }: TableFact,
): Promise<{ meta: Place; index: Place }> {
  const footer = await read(file, Math.max(0, sizeBytes - footerBytes), footerBytes);
  if (!footer.subarray(footerBytes - magic.length).equals(magic)) {
    throw new RangeError("its footer is damaged");
  }
  const reader = new ByteReader(footer);
  const places = { meta: readPlace(reader), index: readPlace(reader) };
  const isWithin = [places.meta, places.index].every(({ at, length }) => at + length < sizeBytes);
  if (!isWithin) throw new RangeError("its footer is damaged");
  return places;
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
      piece = await readSome(file, place.at, length);
      pieceAt = place.at;
      await onRead(piece.length);
    }
    const block = piece.subarray(place.at - pieceAt, place.at - pieceAt + length);
    if (block.length === length && isSound(block)) continue;
    faults.push({ what: `its block at byte ${place.at} is damaged`, isConfined: true });
  }
  return faults;
}

/** Reads ahead; where the disk cannot, the bytes of one block alone, as far as it can. */
async function readSome(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const ahead = await read(file, at, Math.max(readBytes, length), "some").catch(unlessUnreadable);
  if (ahead !== undefined) return ahead;
  return (await read(file, at, length, "some").catch(unlessUnreadable)) ?? Buffer.alloc(0);
}

/**
 * Every byte belongs to one block: none is left that no checksum guards. Throws RangeError otherwise.
 * @returns where the last one ends
 */
function tile(places: readonly Place[], from: number): number {
  let at = from;
  for (const place of places) {
    if (place.at !== at) throw new RangeError(badIndex);
    at = place.at + place.length + trailerBytes;
  }
  return at;
}

async function readBlock(
  file: FileHandle,
  { at, length }: Place,
  what: string,
): Promise<Uint8Array> {
  const block = await read(file, at, length + trailerBytes);
  if (!isSound(block)) throw new RangeError(`its ${what} is damaged`);
  return contentOf(block);
}

function readPlace(reader: ByteReader): Place {
  return { at: reader.varint(), length: reader.varint() };
}

/** What the disk cannot read is not there. */
function unreadable(error: unknown): never {
  if (isDiskError(error)) throw new RangeError(`it cannot be read (${error.message})`);
  throw error;
}

/** Reads a file up to its end, or to where the disk cannot read it. */
async function readAll(file: FileHandle, sizeBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < sizeBytes; ) {
    const piece = await read(file, at, pageBytes, "some").catch(unlessUnreadable);
    if (piece === undefined || piece.length === 0) break;
    pieces.push(piece);
    at += piece.length;
  }
  return Buffer.concat(pieces);
}

/** Reads bytes; "some": fewer where the file ends. Throws RangeError when they are not there. */
async function read(
  file: FileHandle,
  at: number,
  length: number,
  need: "all" | "some" = "all",
): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(buffer, 0, length, at).catch(unreadable);
  if (bytesRead < length && need === "all") throw new RangeError("it is cut short");
  return buffer.subarray(0, bytesRead);
}
