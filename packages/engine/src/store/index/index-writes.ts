// SPDX-License-Identifier: Apache-2.0

import { del, mark, type StoreWrite } from "../store.js";
import {
  type IndexedRow,
  indexKeysOf,
  secondOf,
  statusClass,
  statusKeys,
  updatedAtOf,
  updatedKey,
} from "./index-key.js";

/**
 * Adds the writes that take an instance's index entries from one row to the next. `undefined`: there
 * is no row. They belong into the batch that writes the row.
 */
export function draftIndexes(
  instanceId: string,
  before: IndexedRow | undefined,
  after: IndexedRow | undefined,
  writes: StoreWrite[],
): void {
  if (before === undefined || after === undefined || !isLasting(before, after)) {
    // A key that is in both is deleted first, and then written.
    if (before !== undefined) deleteAll(writes, indexKeysOf(instanceId, before));
    if (after !== undefined) putAll(writes, indexKeysOf(instanceId, after));
    return;
  }
  if (statusClass(before.status) !== statusClass(after.status)) {
    deleteAll(writes, statusKeys(instanceId, before));
    putAll(writes, statusKeys(instanceId, after));
  }
  if (secondOf(updatedAtOf(before)) !== secondOf(updatedAtOf(after))) {
    writes.push(del(updatedKey(instanceId, before)));
    writes.push(mark(updatedKey(instanceId, after)));
  }
}

function deleteAll(writes: StoreWrite[], keys: readonly Uint8Array[]): void {
  for (const key of keys) writes.push(del(key));
}

function putAll(writes: StoreWrite[], keys: readonly Uint8Array[]): void {
  for (const key of keys) writes.push(mark(key));
}

/** True when two rows differ in nothing that an execution keeps. */
function isLasting(before: IndexedRow, after: IndexedRow): boolean {
  return (
    before.workflow === after.workflow &&
    before.createdAt === after.createdAt &&
    before.parent?.instanceId === after.parent?.instanceId &&
    isSameTags(before.tags, after.tags)
  );
}

function isSameTags(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): boolean {
  // Rows of one execution share them.
  if (before === after) return true;
  const keys = Object.keys(before);
  if (keys.length !== Object.keys(after).length) return false;
  return keys.every((key) => before[key] === after[key]);
}
