// SPDX-License-Identifier: Apache-2.0

import { isEngineError } from "../../errors.js";
import { decodeRow } from "../codec.js";
import {
  type IndexKind,
  instanceIdOf,
  kindPrefix,
  kindRange,
  partitionOf,
  partitions,
  rowKey,
} from "../key.js";
import { scan } from "../scan.js";
import type { StoreReader } from "../store.js";
import { indexedId, indexKeysOf, indexKinds } from "./index-key.js";

/** A fault of the indexes: an entry that an instance lacks, or that nobody owns. */
export interface IndexFault {
  readonly instanceId: string;
  readonly reason: string;
}

/**
 * Compares the indexes with a recount over all rows, of the partitions named. Costs memory only for what
 * is wrong. Rows that cannot be decoded are left out: they are damage of another kind.
 */
export async function findIndexFaults(
  store: StoreReader,
  of: Iterable<number> = partitions,
): Promise<IndexFault[]> {
  const faults: IndexFault[] = [];
  for (const partition of of) {
    const { missing, expected } = await findMissing(store, partition);
    faults.push(...missing);
    const found = await countEntries(store, partition);
    // Nothing is missing and nothing is too much, or something is both.
    if (found + missing.length !== expected) faults.push(...(await findSpare(store, partition)));
  }
  return faults;
}

async function findMissing(
  store: StoreReader,
  partition: number,
): Promise<{ missing: IndexFault[]; expected: number }> {
  const missing: IndexFault[] = [];
  let expected = 0;
  for await (const rows of scan(store, kindRange("row", partition))) {
    for (const [key, value] of rows) {
      const instanceId = instanceIdOf(key);
      const wanted = wantedKeys(instanceId, value) ?? [];
      expected += wanted.length;
      const entries = await Promise.all(wanted.map((wantedKey) => store.get(wantedKey)));
      entries.forEach((entry, at) => {
        const kind = kindOf(wanted[at]);
        if (entry === undefined) missing.push({ instanceId, reason: `no entry by ${kind}` });
      });
    }
  }
  return { missing, expected };
}

async function countEntries(store: StoreReader, partition: number): Promise<number> {
  let count = 0;
  for (const kind of indexKinds) {
    for await (const entries of scan(store, kindRange(kind, partition))) count += entries.length;
  }
  return count;
}

/** Entries that no row asks for. */
async function findSpare(store: StoreReader, partition: number): Promise<IndexFault[]> {
  const spare: IndexFault[] = [];
  for (const kind of indexKinds) {
    for await (const entries of scan(store, kindRange(kind, partition))) {
      for (const [key] of entries) {
        const instanceId = indexedId(kind, key);
        const row = await store.get(rowKey(instanceId));
        const wanted = row === undefined ? [] : wantedKeys(instanceId, row);
        const isWanted =
          partitionOf(instanceId) === partition &&
          (wanted?.some((wantedKey) => Buffer.compare(wantedKey, key) === 0) ?? true);
        if (!isWanted) spare.push({ instanceId, reason: `a stale entry by ${kind}` });
      }
    }
  }
  return spare;
}

/** Undefined when the row cannot be decoded. */
function wantedKeys(instanceId: string, row: Uint8Array): Uint8Array[] | undefined {
  try {
    return indexKeysOf(instanceId, decodeRow(row));
  } catch (error) {
    if (isEngineError(error)) return undefined;
    throw error;
  }
}

function kindOf(key: Uint8Array | undefined): IndexKind | undefined {
  return indexKinds.find((kind) => kindPrefix(kind, 0)[2] === key?.[2]);
}

/**
 * The keys of every index entry of an instance whose row cannot be believed. Reads all entries of
 * its partition: for damage only.
 */
export async function entriesOf(store: StoreReader, instanceId: string): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for (const kind of indexKinds) {
    for await (const entries of scan(store, kindRange(kind, partitionOf(instanceId)))) {
      for (const [key] of entries) if (indexedId(kind, key) === instanceId) found.push(key);
    }
  }
  return found;
}
