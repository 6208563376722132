// SPDX-License-Identifier: Apache-2.0

import type { StoreWrite } from "../store.js";
import {
  type IndexedRow,
  indexKeysOf,
  secondOf,
  statusClass,
  statusKeys,
  updatedAtOf,
  updatedKey,
} from "./index-key.js";

const noBytes = new Uint8Array();

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
  const del = (key: Uint8Array): void => void writes.push({ type: "del", key });
  const put = (key: Uint8Array): void => void writes.push({ type: "put", key, value: noBytes });
  if (before === undefined || after === undefined || !isLasting(before, after)) {
    // A key that is in both is deleted first, and then written.
    if (before !== undefined) indexKeysOf(instanceId, before).forEach(del);
    if (after !== undefined) indexKeysOf(instanceId, after).forEach(put);
    return;
  }
  if (statusClass(before.status) !== statusClass(after.status)) {
    statusKeys(instanceId, before).forEach(del);
    statusKeys(instanceId, after).forEach(put);
  }
  if (secondOf(updatedAtOf(before)) !== secondOf(updatedAtOf(after))) {
    del(updatedKey(instanceId, before));
    put(updatedKey(instanceId, after));
  }
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
  const keys = Object.keys(before);
  if (keys.length !== Object.keys(after).length) return false;
  return keys.every((key) => before[key] === after[key]);
}
