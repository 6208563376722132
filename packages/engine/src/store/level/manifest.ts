// SPDX-License-Identifier: Apache-2.0

import { ByteReader } from "./byte-reader.js";

/** A table that is part of the database. */
export interface TableFact {
  readonly number: number;
  /** 0: newest, its tables overlap; others are older the higher they are, and do not overlap. */
  readonly level: number;
  readonly sizeBytes: number;
  /** Its first and its last key, with LevelDB's tail. */
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

/** What a manifest says of its database. */
export interface Manifest {
  readonly tables: ReadonlyMap<number, TableFact>;
  /** The oldest log that is needed; it is there, always. */
  readonly logNumber: number;
  /** Sequence number of the newest write, when this was written. */
  readonly lastSequence: number;
}

/** Bytes that LevelDB adds to each key: type (1, of which 1 is a put), and sequence (7, the least first). */
export const keyTailBytes = 8;

/**
 * Folds the records of a manifest (db/version_edit.cc).
 * Throws RangeError when one cannot be understood, or what a database needs is not among them.
 */
export function foldManifest(records: readonly Uint8Array[]): Manifest {
  const tables = new Map<number, TableFact>();
  const numbers = new Map<number, number>();
  for (const record of records) applyEdit(new ByteReader(record), tables, numbers);
  const [logNumber, nextFile, lastSequence] = [2, 3, 4].map((tag) => numbers.get(tag));
  if (logNumber === undefined || nextFile === undefined || lastSequence === undefined) {
    throw new RangeError("it has no whole description of a database");
  }
  return { tables, logNumber, lastSequence };
}

function applyEdit(
  edit: ByteReader,
  tables: Map<number, TableFact>,
  numbers: Map<number, number>,
): void {
  // A table that is moved to another level is deleted and added in one edit, in this order.
  while (!edit.isDone) {
    const tag = edit.varint();
    switch (tag) {
      case 1: // comparator
        edit.string();
        break;
      case 2: // log number
      case 3: // next file number
      case 4: // last sequence
      case 9: // previous log number
        numbers.set(tag, edit.varint());
        break;
      case 5: // compaction pointer
        edit.varint();
        edit.string();
        break;
      case 6: // deleted table
        edit.varint();
        tables.delete(edit.varint());
        break;
      case 7: // new table
        addTable(edit, tables);
        break;
      default:
        throw new RangeError(`tag ${tag} is unknown`);
    }
  }
}

function addTable(edit: ByteReader, tables: Map<number, TableFact>): void {
  const level = edit.varint();
  const number = edit.varint();
  const sizeBytes = edit.varint();
  const first = edit.string();
  tables.set(number, { number, level, sizeBytes, first, last: edit.string() });
}

/** A key as the database's user knows it. */
export function userKey(internalKey: Uint8Array): Uint8Array {
  return internalKey.subarray(0, Math.max(0, internalKey.length - keyTailBytes));
}

/** The order of keys in a table: of writes of one key the newest is the first. */
export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(userKey(a), userKey(b)) || Buffer.compare(newness(b), newness(a));
}

/** The tail of a key, with the greatest byte first. */
function newness(internalKey: Uint8Array): Uint8Array {
  return Buffer.from(internalKey.subarray(-keyTailBytes)).reverse();
}

/**
 * The order in which tables are read so that the oldest writes of each key come first. What a level has is
 * newer than what the levels above it have. Tables of level 0 overlap, and a newer one has more. Those of
 * another level share at most a key: the end of one has newer writes of it than the beginning of the next.
 */
export function compareAges(a: TableFact, b: TableFact): number {
  if (a.level !== b.level) return b.level - a.level;
  return a.level === 0 ? a.number - b.number : compareKeys(b.first, a.first);
}
