// SPDX-License-Identifier: Apache-2.0

import { asBuffer, metaPartition, readInstant, writeInstant, writePrefix } from "./key.js";

// Keys of what belongs to the store as a whole, in a partition of its own (0xffff):
//
//   kind  key                                  value
//   c     commit number                        (empty) one for each write; old ones are trimmed
//   b     id of a batch                        BatchRow
//   y     id of a batch, number                BatchItem: an instance that it has to do with yet
//   x     change number                        ids of the instances that one commit wrote, and of those that it purged
//   k f m                                      what a salvage lost: see salvage/lost-keys.ts

const commitKind = 0x63;
const changeKind = 0x78;
const batchKind = 0x62;
const batchItemKind = 0x79;

/** Key of the mark that a batch leaves. */
export function commitKey(commit: number): Uint8Array {
  return metaKey(commitKind, commit);
}

/** True for the key of such a mark. */
export function isCommitKey(bytes: Uint8Array): boolean {
  return bytes.length === 11 && bytes[0] === 0xff && bytes[1] === 0xff && bytes[2] === commitKind;
}

/** The commit number in such a key. */
export function commitOf(bytes: Uint8Array): number {
  return readInstant(asBuffer(bytes), 3);
}

/** Key of an entry of the change log. */
export function changeKey(change: number): Uint8Array {
  return metaKey(changeKind, change);
}

/** The change number in such a key. */
export function changeOf(bytes: Uint8Array): number {
  return commitOf(bytes);
}

function metaKey(kind: number, value: number): Buffer {
  const key = Buffer.allocUnsafe(11);
  writePrefix(key, metaPartition, kind);
  writeInstant(key, 3, value);
  return key;
}

/** Key of a batch's row. */
export function batchKey(batchId: string): Uint8Array {
  return storeKey(batchKind, batchId, 0);
}

/** All rows of batches. */
export function batchRange(): { gte: Uint8Array; lt: Uint8Array } {
  const gte = Buffer.alloc(3);
  writePrefix(gte, metaPartition, batchKind);
  const lt = Buffer.alloc(3);
  writePrefix(lt, metaPartition, batchKind + 1);
  return { gte, lt };
}

/** True for the key of a batch's row. */
export function isBatchKey(key: Uint8Array): boolean {
  return key[2] === batchKind && key[0] === metaPartition >>> 8;
}

/** Key of one item of a batch. */
export function batchItemKey(batchId: string, number: number): Uint8Array {
  const key = storeKey(batchItemKind, batchId, 4);
  key.writeUInt32BE(number, key.length - 4);
  return key;
}

/** All items of a batch. */
export function batchItemRange(batchId: string): { gte: Uint8Array; lt: Uint8Array } {
  const gte = storeKey(batchItemKind, batchId, 0);
  const lt = Buffer.from(gte);
  lt[lt.length - 1] = 1;
  return { gte, lt };
}

/** A key of the store as a whole, with room for a tail. */
function storeKey(kind: number, id: string, tailBytes: number): Buffer {
  const idBytes = Buffer.byteLength(id, "utf8");
  const key = Buffer.alloc(3 + idBytes + 1 + tailBytes);
  writePrefix(key, metaPartition, kind);
  key.write(id, 3, "utf8");
  return key;
}
