// SPDX-License-Identifier: Apache-2.0

import { compareKeys, type TableFact, userKey } from "./manifest.js";
import { type BlockEntry, findBlock, type TableEntry, writeOf } from "./table-block.js";

/** A block of entries as it stands in a table, or the rest of a table of which nothing can be told. */
export interface TableBlock {
  /** Where it begins. */
  readonly offset: number;
  /** Not one block: everything from there on. */
  readonly isRest: boolean;
  /** Only keys after this one are in it; undefined: it is the first block. */
  readonly after: Uint8Array | undefined;
  /** No key after this one is in it. */
  readonly upTo: Uint8Array;
  /** The Bloom filter of its keys; undefined: there is none that can be read. */
  readonly filter: Uint8Array | undefined;
  /** Its entries in order; of several with one key, the newest is the first. Undefined: it is damaged. */
  readonly entries: readonly TableEntry[] | undefined;
}

/** What the manifest says of the keys of a table. */
export type TableKeys = Pick<TableFact, "first" | "last">;

/**
 * Reads the blocks of a table that has no index, from its beginning on: each begins where the one before
 * ends. The manifest knows the first key and the last one, so that it is known whether all were found. What
 * stands behind a block that cannot be read is not looked for: bytes of a value might look like a block.
 */
export function* scanBlocks(table: Buffer, { first, last }: TableKeys): Generator<TableBlock> {
  let at = 0;
  let key: Uint8Array | undefined;
  while (key === undefined || compareKeys(key, last) < 0) {
    const found = findBlock(table, at);
    if (found === undefined || !follows(found.entries, key, { first, last })) break;
    const end = found.entries.at(-1)?.key ?? last;
    yield {
      offset: at,
      isRest: false,
      after: key && userKey(key),
      upTo: userKey(end),
      filter: undefined,
      entries: found.entries.map(writeOf),
    };
    key = end;
    at += found.length;
  }
  // Of the last key the newest write was read: only older ones of it are missing.
  if (key !== undefined && Buffer.compare(userKey(key), userKey(last)) === 0) return;
  yield restOf({ first, last }, at, key && userKey(key));
}

/** The rest of a table from a place on, of which only this is known: what keys it may have had. */
export function restOf({ first, last }: TableKeys, offset = 0, after?: Uint8Array): TableBlock {
  return {
    offset,
    isRest: true,
    after: after ?? before(userKey(first)),
    upTo: userKey(last),
    filter: undefined,
    entries: undefined,
  };
}

/** True when these are the entries that come next: the first ones of the table, or greater ones. */
function follows(
  entries: readonly BlockEntry[],
  key: Uint8Array | undefined,
  { first, last }: TableKeys,
): boolean {
  const [begin] = entries;
  if (begin === undefined) return false;
  if (key === undefined ? compareKeys(begin.key, first) !== 0 : compareKeys(key, begin.key) >= 0) {
    return false;
  }
  return entries.every(({ key: each }, index) => {
    const previous = entries[index - 1]?.key;
    const isInOrder = previous === undefined || compareKeys(previous, each) < 0;
    return isInOrder && compareKeys(each, last) <= 0;
  });
}

/** A key that is less, with hardly any between: what it bounds may be a little too much, never too little. */
function before(key: Uint8Array): Uint8Array {
  const head = key.subarray(0, -1);
  const end = key.at(-1) ?? 0;
  if (end === 0) return head;
  return Buffer.concat([head, Buffer.of(end - 1), Buffer.alloc(8, 0xff)]);
}
