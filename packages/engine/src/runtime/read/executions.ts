// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent } from "@pawl/protocol";
import type { ExecutionsQuery, Instance, ListPage } from "@pawl/protocol/port";
import { EngineError } from "../../errors.js";
import { eventsOf, type Row } from "../../store/codec.js";
import { executionKey } from "../../store/key.js";
import type { Store } from "../../store/store.js";
import { readHistory } from "../loader.js";
import type { Snapshot } from "../mailbox.js";
import { olderRows } from "../retention/older-executions.js";
import { requirePageSize } from "./query/page.js";
import { PayloadRoom } from "./query/payload-room.js";
import { readEnds } from "./reader.js";
import { instanceOf } from "./view.js";

/** An older execution of an instance; undefined when it is not kept. @throws INSTANCE_DAMAGED */
export async function readOlderSnapshot(
  store: Store,
  instanceId: string,
  executionId: string,
  payloads: boolean,
): Promise<Snapshot | undefined> {
  const row = await findOlder(store, instanceId, executionId);
  return row && readWhole(store, instanceId, row, payloads);
}

/** The history of an older execution; undefined when it is not kept. @throws INSTANCE_DAMAGED */
export async function readOlderEvents(
  store: Store,
  instanceId: string,
  executionId: string,
): Promise<HistoryEvent[] | undefined> {
  const row = await findOlder(store, instanceId, executionId);
  if (row === undefined) return undefined;
  const chunks = await unlessGone(store, instanceId, row, () =>
    readHistory(store, instanceId, row),
  );
  return chunks?.flatMap((chunk) => eventsOf(chunk).map((record) => record.event));
}

/**
 * One page of the executions of an id, the newest first: the present one, and those that are kept.
 * The token is the generation of the last one. @throws INVALID_ARGUMENT, INSTANCE_DAMAGED
 */
export async function readExecutions(
  store: Store,
  instanceId: string,
  present: Snapshot | undefined,
  query: ExecutionsQuery,
): Promise<ListPage> {
  const payloads = query.payloads ?? true;
  const pageSize = requirePageSize(query.pageSize);
  const before = parseToken(query.pageToken);
  const instances: Instance[] = [];
  const room = new PayloadRoom();
  /** True when the page has room for one more. */
  const add = (snapshot: Snapshot): boolean => {
    const instance = instanceOf(instanceId, snapshot, payloads);
    if (!room.admits(instance)) return false;
    instances.push(instance);
    return true;
  };
  if (before === undefined && present !== undefined) add(present);
  // The present one may have become an older one by now.
  for await (const row of olderRows(store, instanceId, before ?? present?.row.generation)) {
    const isFull = instances.length >= pageSize;
    const snapshot = isFull ? undefined : await readWhole(store, instanceId, row, payloads);
    if (isFull || (snapshot !== undefined && !add(snapshot))) {
      return { instances, nextPageToken: String(instances.at(-1)?.generation) };
    }
  }
  return { instances };
}

async function findOlder(
  store: Store,
  instanceId: string,
  executionId: string,
): Promise<Row | undefined> {
  for await (const row of olderRows(store, instanceId)) {
    if (row.executionId === executionId) return row;
  }
  return undefined;
}

async function readWhole(
  store: Store,
  instanceId: string,
  row: Row,
  payloads: boolean,
): Promise<Snapshot | undefined> {
  if (!payloads) return { row, startRecord: undefined, endRecord: undefined };
  return unlessGone(store, instanceId, row, async () => ({
    row,
    ...(await readEnds(store, instanceId, row)),
  }));
}

/** What is missing of an execution that is gone meanwhile is no damage. */
async function unlessGone<T>(
  store: Store,
  instanceId: string,
  row: Row,
  read: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    const kept = await store.get(executionKey(instanceId, row.generation));
    if (kept === undefined) return undefined;
    throw error;
  }
}

function parseToken(token: string | undefined): number | undefined {
  if (token === undefined || token === "") return undefined;
  const generation = /^\d{1,10}$/.test(token) ? Number(token) : Number.NaN;
  if (generation <= 0xffff_ffff) return generation;
  throw new EngineError("INVALID_ARGUMENT", "the page token is not one of this server's", {
    details: { field: "pageToken" },
  });
}
