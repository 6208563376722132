// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import type { EventRecord } from "@pawl/protocol";
import {
  type Chunk,
  chainOf,
  decodeChunk,
  decodeInboxEvent,
  eventsOf,
  type Row,
} from "../../store/codec.js";
import { damaged } from "../../store/damaged.js";
import { chunkKey, inboxKey } from "../../store/key.js";
import type { StoreReader } from "../../store/store.js";
import { readHistory, readRow } from "../loader.js";
import type { Snapshot } from "../mailbox.js";

/** Reads an instance from the store, with its payloads where they are asked for. */
export async function readSnapshot(
  store: StoreReader,
  instanceId: string,
  payloads: boolean,
): Promise<Snapshot | undefined> {
  const row = await readRow(store, instanceId);
  if (row === undefined) return undefined;
  if (!payloads) return { row, startRecord: undefined, endRecord: undefined };
  return readWhole(store, instanceId, row);
}

/** The whole of an instance whose row was read. @throws INSTANCE_DAMAGED */
export function readWhole(
  store: StoreReader,
  instanceId: string,
  row: Row,
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
  store: StoreReader,
  instanceId: string,
  row: Row,
  read: (row: Row) => Promise<T>,
): Promise<T | undefined> {
  for (let sealed = row; ; ) {
    try {
      return await read(sealed);
    } catch (error) {
      const newest = await readRow(store, instanceId);
      if (newest === undefined) return undefined;
      if (isDeepStrictEqual(sealed, newest)) throw error;
      sealed = newest;
    }
  }
}

/** The start of an instance is in its first chunk, or still in its inbox; its end in the last one. */
export async function readEnds(
  store: StoreReader,
  instanceId: string,
  row: Row,
): Promise<Pick<Snapshot, "startRecord" | "endRecord">> {
  const last = row.chunkCount - 1;
  let startRecord: EventRecord | undefined;
  // Only an instance that stalled in its first turn has chunks before its start.
  for (let at = 0; at <= last && startRecord === undefined; at += 1) {
    const chunk = await readChunk(store, instanceId, row, at);
    startRecord = find(chunk, "executionStarted");
  }
  startRecord ??= await readFirstOfInbox(store, instanceId, row);
  if (row.completedAt === 0) return { startRecord, endRecord: undefined };
  const end = await readChunk(store, instanceId, row, last);
  return { startRecord, endRecord: find(end, "executionCompleted") };
}

function find(records: readonly EventRecord[], kind: string): EventRecord | undefined {
  return records.find((record) => record.event.eventType.case === kind);
}

async function readFirstOfInbox(
  store: StoreReader,
  instanceId: string,
  row: Row,
): Promise<EventRecord | undefined> {
  const bytes = await store.get(inboxKey(instanceId, row.inboxFirst));
  if (bytes === undefined) throw damaged(`the inbox of '${instanceId}' lacks events`);
  try {
    return find([decodeInboxEvent(bytes)], "executionStarted");
  } catch (error) {
    throw damaged(`an event of '${instanceId}' cannot be decoded`, error);
  }
}

/** Reads one chunk, and checks it against the one before and the row. @throws INSTANCE_DAMAGED */
async function readChunk(
  store: StoreReader,
  instanceId: string,
  row: Row,
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
  return eventsOf(chunk);
}

/** An execution of an instance: its row, and its committed history. */
export interface Run {
  readonly row: Row;
  readonly history: readonly EventRecord[];
}

/** The present execution of an instance; undefined when it is gone. @throws INSTANCE_DAMAGED */
export async function readRun(store: StoreReader, instanceId: string): Promise<Run | undefined> {
  const row = await readRow(store, instanceId);
  if (row === undefined) return undefined;
  return readSealed(store, instanceId, row, async (sealed) => {
    const chunks = await readHistory(store, instanceId, sealed);
    return { row: sealed, history: chunks.flatMap(eventsOf) };
  });
}
