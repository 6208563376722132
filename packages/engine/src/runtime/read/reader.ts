// SPDX-License-Identifier: Apache-2.0

import { decodeFrames, EventRecord, type HistoryEvent, limits } from "@pawl/protocol";
import type { InstanceRow } from "@pawl/protocol/store";
import { EngineError } from "../../errors.js";
import type { Instance, ListPage, ListQuery } from "../../port/management.js";
import { decodeChunk, decodeRow, rowStatus } from "../../store/codec.js";
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
  return { row, ...(await readEnds(store, instanceId, row)) };
}

/** The start of an instance is in its first chunk, or still in its inbox; the end in its last. */
async function readEnds(
  store: Store,
  instanceId: string,
  row: InstanceRow,
): Promise<Pick<Snapshot, "startRecord" | "endRecord">> {
  if (row.chunkCount === 0) {
    const start = await store.get(inboxKey(instanceId, row.inboxFirst));
    const startRecord = start === undefined ? undefined : EventRecord.fromBytes(start);
    return { startRecord, endRecord: undefined };
  }
  const last = row.chunkCount - 1;
  const first = await readChunk(store, instanceId, row.generation, 0);
  const end = last === 0 ? first : await readChunk(store, instanceId, row.generation, last);
  return {
    startRecord: first.find((r) => r.event.eventType.case === "executionStarted"),
    endRecord: end.find((r) => r.event.eventType.case === "executionCompleted"),
  };
}

async function readChunk(
  store: Store,
  instanceId: string,
  generation: number,
  chunk: number,
): Promise<EventRecord[]> {
  const value = await store.get(chunkKey(instanceId, generation, chunk));
  return value === undefined ? [] : decodeFrames(decodeChunk(value).frames);
}

/** The committed history of an instance. @throws INSTANCE_DAMAGED */
export async function readEvents(
  store: Store,
  instanceId: string,
  row: InstanceRow,
): Promise<HistoryEvent[]> {
  const chunks = await readHistory(store, instanceId, row);
  return chunks.flatMap((chunk) => decodeFrames(chunk.frames).map((record) => record.event));
}

/**
 * One page of instances, in the order of partition and id. The token is the key to go on from.
 * @throws INVALID_ARGUMENT for a token that is none, or a page size that is no count
 */
export async function readPage(store: Store, query: ListQuery): Promise<ListPage> {
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
        const instance = await matching(store, query, instanceIdOf(key), value);
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
): Promise<Instance | undefined> {
  if (query.instanceIdPrefix && !instanceId.startsWith(query.instanceIdPrefix)) return undefined;
  const row = decodeRow(value);
  if (query.workflow && row.workflow !== query.workflow) return undefined;
  if (query.statuses?.length && !query.statuses.includes(rowStatus(row))) return undefined;
  const payloads = query.payloads ?? true;
  const ends = payloads
    ? await readEnds(store, instanceId, row)
    : { startRecord: undefined, endRecord: undefined };
  return instanceOf(instanceId, { row, ...ends }, payloads);
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
