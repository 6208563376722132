// SPDX-License-Identifier: Apache-2.0

import { StoredStatus } from "@pawl/protocol/store";
import type { Row } from "../codec.js";
import { type IndexKind, keyOfParts, kindPrefix } from "../key.js";

// The secondary indexes. An instance that has not ended is not in that of workflows: its entry by status
// has the workflow, and is written once and deleted once in a plain life, and what is open is little
// beside what has ended.
//
// Their keys have no value; each ends in what it is ordered by, then the id.
// Texts are escaped and have an end mark, so that byte order is text order (`textBytes`). Instants and
// seconds have six bytes.
//
//   kind  key                                      moved
//   s     status class, createdAt, id, and of      when the class changes
//         open instances 0x00 and the workflow
//   w     workflow, status class, createdAt, id    written when it has ended
//   u     updatedAt in seconds, id                 when the second changes
//   p     parent's id, createdAt, id               with the execution; only children have one
//   g     tag's key, tag's value, createdAt, id    with the execution; one for each tag

/** The kinds of index. */
export const indexKinds: readonly IndexKind[] = ["status", "workflow", "updated", "parent", "tag"];

/** Bytes of an instant or a second in a key. */
export const instantBytes = 6;
const maxInstant = 2 ** 48 - 1;

/**
 * The class under which a status is indexed: pending and running share one, so that a plain life
 * moves its entry once.
 */
export function statusClass(status: StoredStatus): number {
  return status === StoredStatus.PENDING ? StoredStatus.RUNNING : status;
}

/** When an instance last changed, in milliseconds. Never before it was created. */
export function updatedAtOf(row: Pick<Row, "createdAt" | "updatedAt">): number {
  return Math.max(row.updatedAt, row.createdAt);
}

/** The second by which an instant is ordered in the index of updates. */
export function secondOf(instantMs: number): number {
  return Math.floor(instantMs / 1000);
}

/** An instant or a second as a key has it. What is out of range counts as the nearest in range. */
export function instantKey(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(instantBytes);
  writeInstantKey(bytes, 0, value);
  return bytes;
}

function writeInstantKey(bytes: Buffer, at: number, value: number): void {
  bytes.writeUIntBE(Math.min(Math.max(Math.ceil(value), 0), maxInstant), at, instantBytes);
}

/**
 * A text as a key has it, with its end mark: 0x00 0x01. A zero byte inside becomes 0x00 0xff. So the
 * order of texts is kept, and none begins another.
 */
export function textBytes(text: string): Buffer {
  if (!text.includes("\0")) return Buffer.from(`${text}\0\x01`, "utf8");
  const parts = text.split("\0").map((part) => Buffer.from(part, "utf8"));
  const escaped = parts.flatMap((part, index) => (index === 0 ? [part] : [escapedZero, part]));
  return Buffer.concat([...escaped, endMark]);
}

const endMark = Buffer.from([0, 1]);
const escapedZero = Buffer.from([0, 0xff]);

/** The parts of a row that its index keys are made of. */
export type IndexedRow = Pick<
  Row,
  "workflow" | "status" | "createdAt" | "updatedAt" | "parent" | "tags"
>;

/** True for a class of instances that have not ended: their entries by status have the workflow. */
export function isOpenClass(status: number): boolean {
  return status < StoredStatus.COMPLETED;
}

/** The entries by status of a partition's instances that have not ended. */
export function openRange(partition: number): { gte: Buffer; lt: Buffer } {
  const gte = kindPrefix("status", partition);
  return { gte, lt: Buffer.concat([gte, Buffer.from([StoredStatus.COMPLETED])]) };
}

/** What follows the id in the entry by status of an open instance. Not to be changed. */
export function workflowSuffix(workflow: string): Buffer {
  if (lastSuffix.workflow !== workflow) {
    lastSuffix = { workflow, bytes: Buffer.from(`\0${workflow}`, "utf8") };
  }
  return lastSuffix.bytes;
}

/** Commits are mostly of one workflow's instances: its bytes are made once for them. */
let lastSuffix = { workflow: "", bytes: Buffer.from("\0") };

/** The keys of a row that move with its status. */
export function statusKeys(instanceId: string, row: IndexedRow): Uint8Array[] {
  const status = statusClass(row.status);
  const tail = Buffer.allocUnsafe(1 + instantBytes);
  tail[0] = status;
  writeInstantKey(tail, 1, row.createdAt);
  if (isOpenClass(status)) {
    return [keyOfParts("status", [tail], instanceId, workflowSuffix(row.workflow))];
  }
  const workflow = textBytes(row.workflow);
  return [
    keyOfParts("status", [tail], instanceId),
    keyOfParts("workflow", [workflow, tail], instanceId),
  ];
}

/** The update key of a row. */
export function updatedKey(instanceId: string, row: IndexedRow): Uint8Array {
  return keyOfParts("updated", [instantKey(secondOf(updatedAtOf(row)))], instanceId);
}

/** The keys of a row that stay the same until the id gets another execution. */
export function lastingKeys(instanceId: string, row: IndexedRow): Uint8Array[] {
  const createdAt = instantKey(row.createdAt);
  const keys: Uint8Array[] = [];
  if (row.parent !== undefined) {
    keys.push(keyOfParts("parent", [textBytes(row.parent.instanceId), createdAt], instanceId));
  }
  for (const [key, value] of Object.entries(row.tags)) {
    keys.push(keyOfParts("tag", [textBytes(key), textBytes(value), createdAt], instanceId));
  }
  return keys;
}

/** Every index key of a row. */
export function indexKeysOf(instanceId: string, row: IndexedRow): Uint8Array[] {
  return [
    ...statusKeys(instanceId, row),
    updatedKey(instanceId, row),
    ...lastingKeys(instanceId, row),
  ];
}

/** What an entry by status says beside the id. */
export interface StatusEntry {
  readonly partition: number;
  /** The status class. */
  readonly status: number;
  readonly createdAt: number;
}

const statusKind = kindPrefix("status", 0)[2];

/** Reads a key of the index by status; undefined for any other key. */
export function statusEntryOf(bytes: Uint8Array): StatusEntry | undefined {
  if (bytes[2] !== statusKind) return undefined;
  const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const createdAt = key.readUIntBE(4, instantBytes);
  return { partition: key.readUInt16BE(0), status: key.readUInt8(3), createdAt };
}

/** The instance id in a key of an index. */
export function indexedId(kind: IndexKind, bytes: Uint8Array): string {
  const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 3;
  if (kind === "workflow") at = afterText(key, at) + 1;
  if (kind === "status") {
    const from = at + 1 + instantBytes;
    const end = key.indexOf(0, from);
    return key.toString("utf8", from, end === -1 ? key.length : end);
  }
  if (kind === "parent") at = afterText(key, at);
  if (kind === "tag") at = afterText(key, afterText(key, at));
  return key.toString("utf8", at + instantBytes);
}

/** Where the text that begins at `from` has ended. */
export function afterText(key: Uint8Array, from: number): number {
  let at = key.indexOf(0, from);
  while (at !== -1 && key[at + 1] === 0xff) at = key.indexOf(0, at + 2);
  return at === -1 ? key.length : at + 2;
}
