// SPDX-License-Identifier: Apache-2.0

import { equals } from "@bufbuild/protobuf";
import { decodeFrames, EventRecord, type HistoryEvent, limits } from "@pawl/protocol";
import { type InstanceRow, InstanceRowSchema } from "@pawl/protocol/store";
import { EngineError, isEngineError } from "../../errors.js";
import type { Instance, ListPage, ListQuery } from "../../port/management.js";
import {
  type Chunk,
  chainOf,
  damaged,
  decodeChunk,
  decodeRow,
  rowStatus,
} from "../../store/codec.js";
import {
  chunkKey,
  inboxKey,
  instanceIdOf,
  kindRange,
  partitionCount,
  rowKey,
} from "../../store/key.js";
import type { Store } from "../../store/store.js";
import { readHistory, readRow } from "../loader.js";
import type { Snapshot } from "../mailbox.js";
import { instanceOf } from "./view.js";

/** Rows that one page looks at, at most. A page may be short, or empty, and still have a next one. */
const scanLimit = 10_000;
const defaultPageSize = 100;

/** Reads an instance from the store, with its payloads where they are asked for. */
export async function readSnapshot(
  store: Store,
  instanceId: string,
  payloads: boolean,
): Promise<Snapshot | undefined> {
  const row = await readRow(store, instanceId);
  if (row === undefined) return undefined;
  if (!payloads) return { row, startRecord: undefined, endRecord: undefined };
  return readWhole(store, instanceId, row);
}

function readWhole(
  store: Store,
  instanceId: string,
  row: InstanceRow,
): Promise<Snapshot | undefined> {
  return readSealed(store, instanceId, row, async (sealed) => ({
    row: sealed,
    ...(await readEnds(store, instanceId, sealed)),
  }));
}

/**
 * Reads what a row seals. What does not fit the row may belong to a newer one that was written
 * meanwhile: then that one counts. Undefined: the instance is gone.
 * @throws INSTANCE_DAMAGED when it does not fit the newest row either
 */
async function readSealed<T>(
  store: Store,
  instanceId: string,
  row: InstanceRow,
  read: (row: InstanceRow) => Promise<T>,
): Promise<T | undefined> {
  for (let sealed = row; ; ) {
    try {
      return await read(sealed);
    } catch (error) {
      const newest = await readRow(store, instanceId);
      if (newest === undefined) return undefined;
      if (equals(InstanceRowSchema, sealed, newest)) throw error;
      sealed = newest;
    }
  }
}

/** The start of an instance is in its first chunk, or still in its inbox; its end in the last one. */
async function readEnds(
  store: Store,
  instanceId: string,
  row: InstanceRow,
): Promise<Pick<Snapshot, "startRecord" | "endRecord">> {
  const last = row.chunkCount - 1;
  let startRecord: EventRecord | undefined;
  // Only an instance that stalled in its first turn has chunks before its start.
  for (let at = 0; at <= last && startRecord === undefined; at += 1) {
    const chunk = await readChunk(store, instanceId, row, at);
    startRecord = find(chunk, "executionStarted");
  }
  startRecord ??= await readFirstOfInbox(store, instanceId, row);
  if (row.completedAt === 0n) return { startRecord, endRecord: undefined };
  const end = await readChunk(store, instanceId, row, last);
  return { startRecord, endRecord: find(end, "executionCompleted") };
}

function find(records: readonly EventRecord[], kind: string): EventRecord | undefined {
  return records.find((record) => record.event.eventType.case === kind);
}

async function readFirstOfInbox(
  store: Store,
  instanceId: string,
  row: InstanceRow,
): Promise<EventRecord | undefined> {
  const bytes = await store.get(inboxKey(instanceId, row.inboxFirst));
  if (bytes === undefined) throw damaged(`the inbox of '${instanceId}' lacks events`);
  try {
    return find([EventRecord.fromBytes(bytes)], "executionStarted");
  } catch (error) {
    throw damaged(`an event of '${instanceId}' cannot be decoded`, error);
  }
}

/** Reads one chunk, and checks it against the one before and the row. @throws INSTANCE_DAMAGED */
async function readChunk(
  store: Store,
  instanceId: string,
  row: InstanceRow,
  index: number,
): Promise<EventRecord[]> {
  const chunkAt = async (at: number): Promise<Chunk> => {
    const value = await store.get(chunkKey(instanceId, row.generation, at));
    if (value === undefined) throw damaged(`history of '${instanceId}' lacks chunk ${at}`);
    return decodeChunk(value);
  };
  const chunk = await chunkAt(index);
  const before = index === 0 ? 0 : (await chunkAt(index - 1)).chain;
  const isLast = index === row.chunkCount - 1;
  const isWhole = chainOf(before, chunk.frames) === chunk.chain;
  if (!isWhole || (isLast && chunk.chain !== row.chain)) {
    throw damaged(`history of '${instanceId}' is broken in chunk ${index}`);
  }
  return decodeFrames(chunk.frames);
}

/** An execution of an instance: its row, and its committed history. */
export interface Run {
  readonly row: InstanceRow;
  readonly history: readonly EventRecord[];
}

/** The present execution of an instance; undefined when it is gone. @throws INSTANCE_DAMAGED */
export async function readRun(store: Store, instanceId: string): Promise<Run | undefined> {
  const row = await readRow(store, instanceId);
  if (row === undefined) return undefined;
  return readSealed(store, instanceId, row, async (sealed) => {
    const chunks = await readHistory(store, instanceId, sealed);
    return { row: sealed, history: chunks.flatMap(({ frames }) => decodeFrames(frames)) };
  });
}

/** The committed history of an instance; undefined when it is gone. @throws INSTANCE_DAMAGED */
export async function readEvents(
  store: Store,
  instanceId: string,
): Promise<HistoryEvent[] | undefined> {
  const run = await readRun(store, instanceId);
  return run?.history.map((record) => record.event);
}

/**
 * One page of instances, in the order of partition and id. The token is the key to go on from.
 * Damage of one instance does not hide the others: without its payloads it is shown without them,
 * without its row it is left out; `onDamage` hears of it.
 * @throws INVALID_ARGUMENT for a token that is none, or a page size that is no count
 */
export async function readPage(
  store: Store,
  query: ListQuery,
  onDamage: (instanceId: string, error: EngineError) => void,
): Promise<ListPage> {
  const pageSize = Math.min(requirePageSize(query.pageSize), limits.listPage);
  const instances: Instance[] = [];
  let position = parseToken(query.pageToken);
  let scanned = 0;
  for (let { partition } = position; partition < partitionCount; partition += 1) {
    const { gte, lt } = kindRange("row", partition);
    let from: Uint8Array = position.partition === partition ? (position.after ?? gte) : gte;
    for (;;) {
      const limit = Math.min(pageSize, 256);
      const entries = await store.range({ gte: from, lt, limit });
      for (const [key, value] of entries) {
        scanned += 1;
        from = following(key);
        const instance = await matching(store, query, instanceIdOf(key), value, onDamage);
        if (instance !== undefined) instances.push(instance);
        if (instances.length === pageSize || scanned === scanLimit) {
          return { instances, nextPageToken: tokenOf(from) };
        }
      }
      if (entries.length < limit) break;
    }
    position = { partition: partition + 1, after: undefined };
  }
  return { instances };
}

async function matching(
  store: Store,
  query: ListQuery,
  instanceId: string,
  value: Uint8Array,
  onDamage: (instanceId: string, error: EngineError) => void,
): Promise<Instance | undefined> {
  if (query.instanceIdPrefix && !instanceId.startsWith(query.instanceIdPrefix)) return undefined;
  let bare: Instance | undefined;
  try {
    const row = decodeRow(value);
    if (query.workflow && row.workflow !== query.workflow) return undefined;
    if (query.statuses?.length && !query.statuses.includes(rowStatus(row))) return undefined;
    bare = instanceOf(instanceId, { row, startRecord: undefined, endRecord: undefined }, false);
    if (query.payloads === false) return bare;
    const snapshot = await readWhole(store, instanceId, row);
    return snapshot && instanceOf(instanceId, snapshot, true);
  } catch (error) {
    if (!isEngineError(error) || error.code !== "INSTANCE_DAMAGED") throw error;
    onDamage(instanceId, error);
    return bare;
  }
}

/** 0 is what a client sends that says nothing. */
function requirePageSize(pageSize: number | undefined): number {
  if (pageSize === undefined || pageSize === 0) return defaultPageSize;
  if (Number.isSafeInteger(pageSize) && pageSize > 0) return pageSize;
  throw new EngineError("INVALID_ARGUMENT", "the page size is not a number of instances", {
    details: { field: "pageSize" },
  });
}

interface Position {
  readonly partition: number;
  readonly after: Uint8Array | undefined;
}

function tokenOf(from: Uint8Array): string {
  return Buffer.from(from).toString("base64url");
}

function parseToken(token: string | undefined): Position {
  if (token === undefined || token === "") return { partition: 0, after: undefined };
  const after = Buffer.from(token, "base64url");
  const partition = after.length > 3 ? after.readUInt16BE(0) : partitionCount;
  const kind = rowKey("")[2];
  if (partition >= partitionCount || after[2] !== kind) {
    throw new EngineError("INVALID_ARGUMENT", "the page token is not one of this server's", {
      details: { field: "pageToken" },
    });
  }
  return { partition, after };
}

/** The first key after this one. */
function following(key: Uint8Array): Uint8Array {
  return Buffer.concat([key, Buffer.alloc(1)]);
}
