// SPDX-License-Identifier: Apache-2.0

import { crc32 } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { decodeFrames, EventRecord } from "@pawl/protocol";
import type { InstanceStatus } from "@pawl/protocol/port";
import {
  encodeInstanceRow,
  type InstanceRow,
  InstanceRowSchema,
  OutboxMessageSchema,
  type RowFields,
  StoredStatus,
} from "@pawl/protocol/store";
import type { Message, PurgeOrder } from "../core/outcome.js";
import type { InstanceState, ParentLink } from "../core/state.js";
import { statusOf } from "../core/status.js";
import { isEngineError } from "../errors.js";
import { damaged } from "./damaged.js";
import { seal, unseal } from "./sealed.js";

/** Seals of an instance's history and inbox: what the row keeps beside the state. */
export interface Seals {
  readonly chunkCount: number;
  /** Checksum chain after the last chunk. */
  readonly chain: number;
  readonly historyBytes: number;
  readonly inboxFirst: number;
  readonly inboxNext: number;
}

/** Those of an instance of which nothing is on disk. */
export const noSeals: Seals = {
  chunkCount: 0,
  chain: 0,
  historyBytes: 0,
  inboxFirst: 0,
  inboxNext: 0,
};

const noTags: Record<string, string> = Object.freeze({});

const storedStatus: Record<InstanceStatus, StoredStatus> = {
  pending: StoredStatus.PENDING,
  running: StoredStatus.RUNNING,
  suspended: StoredStatus.SUSPENDED,
  stalled: StoredStatus.STALLED,
  completed: StoredStatus.COMPLETED,
  failed: StoredStatus.FAILED,
  terminated: StoredStatus.TERMINATED,
};

/** The status that a stored one means. */
export const statusOfStored: ReadonlyMap<StoredStatus, InstanceStatus> = new Map<
  StoredStatus,
  InstanceStatus
>((Object.keys(storedStatus) as InstanceStatus[]).map((status) => [storedStatus[status], status]));

/** A status as rows have it. */
export function storedStatusOf(status: InstanceStatus): StoredStatus {
  return storedStatus[status];
}

/** True for a text that is a status. */
export function isStatus(text: string): text is InstanceStatus {
  return Object.hasOwn(storedStatus, text);
}

/**
 * A row as the engine has it. By constructor: each commit makes one for each of its instances, and V8 would
 * soon put literals that live until the next into the old generation.
 */
export class Row implements RowFields {
  generation = 0;
  workflow = "";
  executionId = "";
  status = StoredStatus.UNSPECIFIED;
  createdAt = 0;
  startedAt = 0;
  updatedAt = 0;
  completedAt = 0;
  startAt = 0;
  parent: ParentLink | undefined = undefined;
  tags: Record<string, string> = noTags;
  customStatus: string | undefined = undefined;
  version = "";
  stallReason = "";
  stallCode = "";
  eventCount = 0;
  chunkCount = 0;
  chain = 0;
  historyBytes = 0;
  inboxFirst = 0;
  inboxNext = 0;
  changed = 0;
}

/** Makes the row of a state; `change` is the number of the commit that writes it. */
export function rowOf(state: InstanceState, seals: Seals, change: number): Row {
  const { fold } = state;
  const row = new Row();
  row.generation = state.generation;
  row.workflow = state.workflow;
  row.executionId = state.executionId;
  row.status = storedStatus[statusOf(state)];
  row.createdAt = state.createdAt;
  row.startedAt = fold.startedAt;
  row.updatedAt = fold.updatedAt;
  row.completedAt = fold.completedAt;
  row.startAt = state.startAt;
  row.parent = state.parent;
  row.tags = state.tags;
  row.customStatus = state.customStatus;
  row.version = fold.version;
  row.stallReason = fold.stall?.description ?? "";
  row.stallCode = fold.stall?.reason ?? "";
  row.eventCount = fold.eventCount;
  row.chunkCount = seals.chunkCount;
  row.chain = seals.chain;
  row.historyBytes = seals.historyBytes;
  row.inboxFirst = seals.inboxFirst;
  row.inboxNext = seals.inboxNext;
  row.changed = change;
  return row;
}

/** Field by field, as above: to take a message apart and put it together again costs as much as to decode it. */
function rowOfMessage(message: InstanceRow): Row {
  const row = new Row();
  row.generation = message.generation;
  row.workflow = message.workflow;
  row.executionId = message.executionId;
  row.status = message.status;
  row.createdAt = Number(message.createdAt);
  row.startedAt = Number(message.startedAt);
  row.updatedAt = Number(message.updatedAt);
  row.completedAt = Number(message.completedAt);
  row.startAt = Number(message.startAt);
  row.parent = message.parent && linkOf(message.parent);
  row.tags = message.tags;
  row.customStatus = message.customStatus;
  row.version = message.version;
  row.stallReason = message.stallReason;
  row.stallCode = message.stallCode;
  row.eventCount = message.eventCount;
  row.chunkCount = message.chunkCount;
  row.chain = message.chain;
  row.historyBytes = Number(message.historyBytes);
  row.inboxFirst = message.inboxFirst;
  row.inboxNext = message.inboxNext;
  row.changed = Number(message.changed);
  return row;
}

function linkOf({ instanceId, executionId, taskId }: ParentLink): ParentLink {
  return { instanceId, executionId, taskId };
}

/** True when callers see the same instance in both rows: nothing but its inbox has changed. */
export function looksAlike(before: Row | undefined, row: Row): before is Row {
  return (
    before !== undefined &&
    before.executionId === row.executionId &&
    before.eventCount === row.eventCount &&
    before.status === row.status &&
    before.customStatus === row.customStatus
  );
}

/** Status in a row. @throws INSTANCE_DAMAGED */
export function rowStatus(row: Pick<Row, "status">): InstanceStatus {
  const status = statusOfStored.get(row.status);
  if (status === undefined) throw damaged(`status ${row.status} is unknown`);
  return status;
}

/** Encodes a row. */
export function encodeRow(row: Row): Uint8Array {
  return seal(encodeInstanceRow(row));
}

/** What a value begins with that stands for one that was lost. No message of protobuf begins so. */
const lostMark = 0x0f;

/** The row of an instance that is parked, as its own was lost or cannot be believed. */
export function encodeLostRow(reason: string): Uint8Array {
  return Buffer.concat([Buffer.of(lostMark), Buffer.from(reason, "utf8")]);
}

/** Decodes a row. @throws INSTANCE_DAMAGED */
export function decodeRow(bytes: Uint8Array): Row {
  if (bytes[0] === lostMark) throw damaged(Buffer.from(bytes.subarray(1)).toString("utf8"));
  return decode(() => rowOfMessage(fromBinary(InstanceRowSchema, unseal(bytes, "row"))), "row");
}

const chunkHeaderBytes = 12;

/** A piece of history: events as frames (see `encodeFrames`). */
export interface Piece {
  readonly eventCount: number;
  readonly frames: Uint8Array;
}

/** A piece of history as it is stored: events that were committed together. */
export interface Chunk extends Piece {
  /** Position of its first event in the history. */
  readonly firstEvent: number;
  /** Checksum chain up to and with this chunk. */
  readonly chain: number;
}

/** Several pieces that follow each other, as one. */
export function joinPieces(pieces: readonly Piece[]): Piece {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const eventCount = pieces.reduce((sum, piece) => sum + piece.eventCount, 0);
  return { eventCount, frames: Buffer.concat(pieces.map((piece) => piece.frames)) };
}

/** A piece that may be kept: in memory of its own (`encodeFrames` gives a part of what others use, too). */
export function ownPiece({ eventCount, frames }: Piece): Piece {
  return { eventCount, frames: new Uint8Array(frames) };
}

/** The next link of a checksum chain. */
export function chainOf(before: number, frames: Uint8Array): number {
  return crc32(frames, before);
}

/** Encodes a chunk. */
export function encodeChunk(chunk: Chunk): Uint8Array {
  const bytes = Buffer.allocUnsafe(chunkHeaderBytes + chunk.frames.length);
  bytes.writeUInt32BE(chunk.firstEvent, 0);
  bytes.writeUInt32BE(chunk.eventCount, 4);
  bytes.writeUInt32BE(chunk.chain, 8);
  bytes.set(chunk.frames, chunkHeaderBytes);
  return bytes;
}

/**
 * The events of a chunk. A first one that counts none is no history: it holds what the execution may
 * see of the histories above it, so that this is sealed, kept and deleted with its history.
 */
export function eventsOf({ eventCount, frames }: Chunk): EventRecord[] {
  return eventCount === 0 ? [] : decodeFrames(frames);
}

/** Decodes a chunk. @throws INSTANCE_DAMAGED */
export function decodeChunk(value: Uint8Array): Chunk {
  if (value.length < chunkHeaderBytes) throw damaged("a history chunk is cut short");
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return {
    firstEvent: bytes.readUInt32BE(0),
    eventCount: bytes.readUInt32BE(4),
    chain: bytes.readUInt32BE(8),
    frames: value.subarray(chunkHeaderBytes),
  };
}

/** Encodes an event of an inbox. */
export function encodeInboxEvent(record: EventRecord): Uint8Array {
  return seal(record.bytes);
}

/** Decodes an event of an inbox. @throws INSTANCE_DAMAGED when it does not have its checksum */
export function decodeInboxEvent(bytes: Uint8Array): EventRecord {
  return EventRecord.fromBytes(unseal(bytes, "inbox event"));
}

/** Encodes a message, or an order to purge, on its way. */
export function encodeMessage(message: Message | PurgeOrder): Uint8Array {
  if (!("record" in message)) {
    const { targetId, parentExecutionId: targetExecutionId } = message;
    const order = create(OutboxMessageSchema, { targetId, targetExecutionId, purge: true });
    return seal(toBinary(OutboxMessageSchema, order));
  }
  const stored = create(OutboxMessageSchema, {
    targetId: message.targetId,
    targetExecutionId: message.targetExecutionId ?? "",
    event: message.record.bytes,
    ...(message.propagated === undefined ? {} : { propagatedHistory: message.propagated }),
  });
  return seal(toBinary(OutboxMessageSchema, stored));
}

/** Decodes a message, or an order to purge, on its way. @throws INSTANCE_DAMAGED */
export function decodeMessage(bytes: Uint8Array): Message | PurgeOrder {
  const { targetId, targetExecutionId, event, propagatedHistory, purge } = decode(
    () => fromBinary(OutboxMessageSchema, unseal(bytes, "message")),
    "message",
  );
  if (purge) return { targetId, parentExecutionId: targetExecutionId };
  return {
    targetId,
    record: EventRecord.fromBytes(event),
    ...(targetExecutionId === "" ? {} : { targetExecutionId }),
    ...(propagatedHistory === undefined ? {} : { propagated: propagatedHistory }),
  };
}

function decode<T>(read: () => T, what: string): T {
  try {
    return read();
  } catch (cause) {
    if (isEngineError(cause)) throw cause;
    throw damaged(`a ${what} cannot be decoded`, cause);
  }
}
