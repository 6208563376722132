// SPDX-License-Identifier: Apache-2.0

import { crc32 } from "node:zlib";

// Every key: partition (2 bytes, big-endian), kind (1 byte), then what the kind says. Ids are UTF-8
// and end in a zero byte, which no id contains, so that one id's keys never mix with another's.
// Numbers are big-endian, so that byte order is number order.
//
//   kind  key                                  value
//   i     id                                   InstanceRow
//   h     id generation chunk                  history chunk (see codec.ts)
//   n     id sequence                          inbox event, in wire form
//   o     id of the sender, sequence           OutboxMessage
//   l     id                                   (empty) the instance has work at hand
//   t     fireAt id generation timerId         (empty)
//   r     id generation                        InstanceRow of an older execution that is kept
//   e     second of its end, id, generation    (empty) an older execution that is kept
//   s w u p g                                  (empty) secondary indexes: see index/index-key.ts
//   d                                          an index of formats 2 and 3, deleted when their folders are opened
//
// Partition 0xffff holds what belongs to the store as a whole: see store-key.ts.

/** Partitions of a store. An instance's is a hash of its id; written into the store's format. */
export const partitionCount = 16;

/** All partitions. */
export const partitions: readonly number[] = Array.from({ length: partitionCount }, (_, at) => at);

/** True for a key of a partition: of an instance, not of the store as a whole. */
export function isInPartition(key: Uint8Array): boolean {
  return asBuffer(key).readUInt16BE(0) < partitionCount;
}

/** What belongs to the store as a whole: see store-key.ts. */
export const metaPartition = 0xffff;

const kinds = {
  row: 0x69,
  history: 0x68,
  inbox: 0x6e,
  outbox: 0x6f,
  live: 0x6c,
  timer: 0x74,
  execution: 0x72,
  ended: 0x65,
  status: 0x73,
  workflow: 0x77,
  retired: 0x64,
  updated: 0x75,
  parent: 0x70,
  tag: 0x67,
};

/** What a key space is for. */
export type KeyKind = keyof typeof kinds;

/** Key spaces of the secondary indexes. */
export type IndexKind = "status" | "workflow" | "updated" | "parent" | "tag";

/** The partition of an instance. */
export function partitionOf(instanceId: string): number {
  return encodeId(instanceId).partition;
}

/** An id as keys have it: in UTF-8, with its partition. */
type EncodedId = { readonly instanceId: string; readonly bytes: Uint8Array; partition: number };

/** The one that was used last: a commit makes all keys of an instance one after the other. */
let latest: EncodedId | undefined;

function encodeId(instanceId: string): EncodedId {
  if (latest?.instanceId === instanceId) return latest;
  const bytes = Buffer.from(instanceId, "utf8");
  latest = { instanceId, bytes, partition: crc32(bytes) % partitionCount };
  return latest;
}

/** Key of an instance's row. */
export function rowKey(instanceId: string): Uint8Array {
  return instanceKey("row", instanceId, 0);
}

/** True for the key of an instance's row. */
export function isRowKey(key: Uint8Array): boolean {
  return key[2] === kinds.row && key[0] !== metaPartition >>> 8;
}

/** Key of one chunk of history. */
export function chunkKey(instanceId: string, generation: number, chunk: number): Uint8Array {
  const key = instanceKey("history", instanceId, 8);
  key.writeUInt32BE(generation, key.length - 8);
  key.writeUInt32BE(chunk, key.length - 4);
  return key;
}

/** Key of one inbox event. */
export function inboxKey(instanceId: string, sequence: number): Uint8Array {
  return sequenceKey("inbox", instanceId, sequence);
}

/** Key of one message on its way; `instanceId` is the sender's. */
export function outboxKey(instanceId: string, sequence: number): Uint8Array {
  return sequenceKey("outbox", instanceId, sequence);
}

/** Key of an older execution that is kept. */
export function executionKey(instanceId: string, generation: number): Uint8Array {
  return sequenceKey("execution", instanceId, generation);
}

/** An older execution, as the key of its end says it. */
export interface EndedKey {
  /** The second of its end: milliseconds since 1970, divided by 1,000. */
  readonly second: number;
  readonly instanceId: string;
  readonly generation: number;
}

/** Key of the end of an older execution: ordered by second within its partition. */
export function endedKey({ second, instanceId, generation }: EndedKey): Uint8Array {
  const id = Buffer.from(instanceId, "utf8");
  const key = Buffer.allocUnsafe(11 + id.length + 5);
  writePrefix(key, partitionOf(instanceId), kinds.ended);
  writeInstant(key, 3, second);
  id.copy(key, 11);
  key[11 + id.length] = 0;
  key.writeUInt32BE(generation, 12 + id.length);
  return key;
}

/** Reads what `endedKey` wrote. */
export function parseEndedKey(bytes: Uint8Array): EndedKey {
  const key = asBuffer(bytes);
  return {
    second: readInstant(key, 3),
    instanceId: key.toString("utf8", 11, key.length - 5),
    generation: key.readUInt32BE(key.length - 4),
  };
}

/** True for the key of the end of an older execution. */
export function isEndedKey(key: Uint8Array): boolean {
  return key[2] === kinds.ended;
}

/** The older executions of a partition that ended from one second on and before another one. */
export function endedRange(
  partition: number,
  from: number,
  before: number,
): { gte: Buffer; lt: Buffer } {
  const bound = (second: number): Buffer => {
    const key = Buffer.alloc(11);
    writePrefix(key, partition, kinds.ended);
    writeInstant(key, 3, second);
    return key;
  };
  return { gte: bound(from), lt: bound(before) };
}

/** Key that marks an instance as having work at hand. */
export function liveKey(instanceId: string): Uint8Array {
  return instanceKey("live", instanceId, 0);
}

/** A durable timer, as its key says it. */
export interface TimerKey {
  readonly instanceId: string;
  readonly generation: number;
  /** The timer's id; `startTimerId` for a delayed start. */
  readonly timerId: number;
  /** Instant in milliseconds. */
  readonly fireAt: number;
}

/** The timer id of a delayed start. No action has it. */
export const startTimerId = 0xffff_ffff;

/** Key of a timer: ordered by instant within its partition. */
export function timerKey(timer: TimerKey): Uint8Array {
  const { bytes: id, partition } = encodeId(timer.instanceId);
  const key = Buffer.allocUnsafe(3 + 8 + id.length + 1 + 8);
  writePrefix(key, partition, kinds.timer);
  writeInstant(key, 3, timer.fireAt);
  key.set(id, 11);
  key[11 + id.length] = 0;
  key.writeUInt32BE(timer.generation, 12 + id.length);
  key.writeUInt32BE(timer.timerId >>> 0, 16 + id.length);
  return key;
}

/** Reads what `timerKey` wrote. */
export function parseTimerKey(bytes: Uint8Array): TimerKey {
  const key = asBuffer(bytes);
  return {
    fireAt: readInstant(key, 3),
    instanceId: key.toString("utf8", 11, key.length - 9),
    generation: key.readUInt32BE(key.length - 8),
    timerId: key.readUInt32BE(key.length - 4),
  };
}

/** True for the key of a timer. */
export function isTimerKey(key: Uint8Array): boolean {
  return key[2] === kinds.timer;
}

/** All timers of a partition that are due before the instant. */
export function timerRange(partition: number, before: number): { gte: Buffer; lt: Buffer } {
  const gte = Buffer.alloc(3);
  writePrefix(gte, partition, kinds.timer);
  const lt = Buffer.alloc(11);
  writePrefix(lt, partition, kinds.timer);
  writeInstant(lt, 3, before);
  return { gte, lt };
}

/** All keys of a kind in a partition. */
export function kindRange(kind: KeyKind, partition: number): { gte: Buffer; lt: Buffer } {
  const gte = Buffer.alloc(3);
  writePrefix(gte, partition, kinds[kind]);
  const lt = Buffer.alloc(3);
  writePrefix(lt, partition, kinds[kind] + 1);
  return { gte, lt };
}

/** What every key of a kind in a partition begins with. */
export function kindPrefix(kind: KeyKind, partition: number): Buffer {
  const prefix = Buffer.alloc(3);
  writePrefix(prefix, partition, kinds[kind]);
  return prefix;
}

/** A key of a kind that is made of parts, an instance's id, and what follows it. */
export function keyOfParts(
  kind: KeyKind,
  parts: readonly Uint8Array[],
  instanceId: string,
  end: Uint8Array = noBytes,
): Buffer {
  const { bytes, partition } = encodeId(instanceId);
  let length = 3 + bytes.length + end.length;
  for (const part of parts) length += part.length;
  const key = Buffer.allocUnsafe(length);
  writePrefix(key, partition, kinds[kind]);
  let at = 3;
  for (const part of parts) {
    key.set(part, at);
    at += part.length;
  }
  key.set(bytes, at);
  key.set(end, at + bytes.length);
  return key;
}

const noBytes = new Uint8Array();

/** All keys of a kind that belong to one instance. Not for timers, ends and indexes. */
export function instanceRange(
  kind: Exclude<KeyKind, "timer" | "ended" | IndexKind>,
  instanceId: string,
): {
  gte: Uint8Array;
  lt: Uint8Array;
} {
  const gte = instanceKey(kind, instanceId, 0);
  const lt = Buffer.from(gte);
  lt[lt.length - 1] = 1;
  return { gte, lt };
}

/** All chunks of one generation of an instance. */
export function generationRange(
  instanceId: string,
  generation: number,
): {
  gte: Uint8Array;
  lt: Uint8Array;
} {
  return { gte: chunkKey(instanceId, generation, 0), lt: chunkKey(instanceId, generation + 1, 0) };
}

/** The instance id in a key of a row, a live mark, or (with `tailBytes`) of a numbered key. */
export function instanceIdOf(bytes: Uint8Array, tailBytes = 0): string {
  const key = asBuffer(bytes);
  return key.toString("utf8", 3, key.length - 1 - tailBytes);
}

/** The number at the end of a numbered key. */
export function sequenceOf(bytes: Uint8Array): number {
  return asBuffer(bytes).readUInt32BE(bytes.length - 4);
}

function instanceKey(kind: KeyKind, instanceId: string, tailBytes: number): Buffer {
  const { bytes, partition } = encodeId(instanceId);
  const key = Buffer.allocUnsafe(3 + bytes.length + 1 + tailBytes);
  writePrefix(key, partition, kinds[kind]);
  key.set(bytes, 3);
  key[3 + bytes.length] = 0;
  return key;
}

function sequenceKey(kind: KeyKind, instanceId: string, sequence: number): Buffer {
  const key = instanceKey(kind, instanceId, 4);
  key.writeUInt32BE(sequence, key.length - 4);
  return key;
}

/** Writes what every key begins with. */
export function writePrefix(key: Buffer, partition: number, kind: number): void {
  key[0] = partition >>> 8;
  key[1] = partition & 0xff;
  key[2] = kind;
}

/** Instants and commit numbers: 64 bits, as two halves, without big integers. */
export function writeInstant(key: Buffer, offset: number, value: number): void {
  const whole = Math.min(Math.max(Math.ceil(value), 0), Number.MAX_SAFE_INTEGER);
  key.writeUInt32BE(Math.floor(whole / 2 ** 32), offset);
  key.writeUInt32BE(whole % 2 ** 32, offset + 4);
}

/** Reads what `writeInstant` wrote. */
export function readInstant(key: Buffer, offset: number): number {
  return key.readUInt32BE(offset) * 2 ** 32 + key.readUInt32BE(offset + 4);
}

/** The same bytes, with the methods of a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
