// SPDX-License-Identifier: Apache-2.0

import type { EventRecord } from "@pawl/protocol";
import { applyEvent } from "../core/apply-event.js";
import { settleArrived } from "../core/apply-outcome.js";
import { withItem } from "../core/fold/sparse.js";
import { resolutionKey } from "../core/resolution-key.js";
import { beginState, type OwnedState, startRecordOf } from "../core/state.js";
import { hasEnded } from "../core/status.js";
import {
  type Chunk,
  chainOf,
  decodeChunk,
  decodeInboxEvent,
  decodeRow,
  eventsOf,
  type Piece,
  type Row,
  rowStatus,
  type Seals,
} from "../store/codec.js";
import { damaged } from "../store/damaged.js";
import {
  chunkKey,
  generationRange,
  inboxKey,
  instanceRange,
  liveKey,
  rowKey,
  sequenceOf,
} from "../store/key.js";
import type { Entry, StoreReader } from "../store/store.js";
import type { MailboxHost } from "./commit/mailbox-host.js";
import { Mailbox } from "./mailbox.js";
import { wantedTimers } from "./wanted-timers.js";

/** Reads an instance's row. @throws INSTANCE_DAMAGED */
export async function readRow(store: StoreReader, instanceId: string): Promise<Row | undefined> {
  const bytes = await store.get(rowKey(instanceId));
  return bytes === undefined ? undefined : decodeRow(bytes);
}

/**
 * Reads the history that a row seals, and checks its sequence and checksums.
 * @throws INSTANCE_DAMAGED
 */
export async function readHistory(
  store: StoreReader,
  instanceId: string,
  row: Row,
): Promise<Chunk[]> {
  const entries = await store.range(generationRange(instanceId, row.generation));
  return chunksOf(instanceId, row, entries);
}

function chunksOf(instanceId: string, row: Row, entries: readonly Entry[]): Chunk[] {
  const chunks: Chunk[] = [];
  let chain = 0;
  let eventCount = 0;
  for (const [key, value] of entries) {
    const chunk = decodeChunk(value);
    chain = chainOf(chain, chunk.frames);
    const inPlace = sequenceOf(key) === chunks.length && chunk.firstEvent === eventCount;
    if (!inPlace || chunk.chain !== chain) {
      throw damaged(`history of '${instanceId}' is broken at event ${eventCount}`);
    }
    chunks.push(chunk);
    eventCount += chunk.eventCount;
  }
  if (chunks.length !== row.chunkCount || eventCount !== row.eventCount || chain !== row.chain) {
    throw damaged(
      `history of '${instanceId}' has ${eventCount} events where ${row.eventCount} were written`,
    );
  }
  return chunks;
}

/**
 * Brings an instance into memory; a mailbox without a state when there is none. "whole": what is there of
 * it and its row does not know of is found, too; "known": only where it comes next, which costs less.
 * @throws INSTANCE_DAMAGED
 */
export async function loadMailbox(
  store: StoreReader,
  instanceId: string,
  host: MailboxHost,
  look: "whole" | "known" = "whole",
): Promise<Mailbox> {
  const row = await readRow(store, instanceId);
  if (row === undefined) return new Mailbox(instanceId, host);
  const { generation, inboxFirst, inboxNext } = row;
  const isShort = (count: number): boolean => look === "known" && count <= fewKeys;
  const [history, events, live] = await Promise.all([
    isShort(row.chunkCount)
      ? readUpTo(store, row.chunkCount, (chunk) => chunkKey(instanceId, generation, chunk))
      : store.range(generationRange(instanceId, generation)),
    isShort(inboxNext - inboxFirst)
      ? readUpTo(store, inboxNext - inboxFirst, (at) => inboxKey(instanceId, inboxFirst + at))
      : store.range(instanceRange("inbox", instanceId)),
    store.get(liveKey(instanceId)),
  ]);
  const chunks = chunksOf(instanceId, row, history);
  const inbox = inboxOf(instanceId, row, events);
  const state = stateOf(instanceId, row, chunks, inbox);
  // An ended instance without the mark has nothing left to run.
  if (hasEnded(state) && live === undefined) state.settled = new Set(state.fold.tasks.keys());
  else if (hasEnded(state)) settleArrived(state);
  const mailbox = new Mailbox(instanceId, host, {
    state,
    seals: sealsOf(row),
    saved: { live: live !== undefined, timers: wantedTimers(state) },
    snapshot: {
      row,
      startRecord: startRecordOf(state),
      endRecord: state.fold.endRecord,
    },
  });
  mailbox.pieces = hasEnded(state) ? undefined : piecesOf(chunks);
  return mailbox;
}

/** Keys that are read one by one, at most; more are read as a range. */
const fewKeys = 8;

/** The entries numbered from 0 to `count`, as far as they are there: that one should not be. */
async function readUpTo(
  store: StoreReader,
  count: number,
  keyAt: (number: number) => Uint8Array,
): Promise<Entry[]> {
  const keys = Array.from({ length: count + 1 }, (_, at) => keyAt(at));
  const values = await Promise.all(keys.map((key) => store.get(key)));
  return keys.flatMap((key, at): Entry[] => {
    const value = values[at];
    return value === undefined ? [] : [[key, value]];
  });
}

/** An ended execution that is kept beside the present one, as a mailbox has it. @throws INSTANCE_DAMAGED */
export async function loadOlder(
  store: StoreReader,
  instanceId: string,
  row: Row,
): Promise<{ state: OwnedState; seals: Seals }> {
  const state = stateOf(instanceId, row, await readHistory(store, instanceId, row), []);
  state.settled = new Set(state.fold.tasks.keys());
  return { state, seals: sealsOf(row) };
}

function sealsOf(row: Row): Seals {
  return {
    chunkCount: row.chunkCount,
    chain: row.chain,
    historyBytes: row.historyBytes,
    inboxFirst: row.inboxFirst,
    inboxNext: row.inboxNext,
  };
}

/** Chunks as they are kept in memory. */
export function piecesOf(chunks: readonly Chunk[]): Piece[] {
  const withEvents = chunks.filter(({ eventCount }) => eventCount > 0);
  return withEvents.map(({ eventCount, frames }) => ({ eventCount, frames }));
}

function inboxOf(instanceId: string, row: Row, entries: readonly Entry[]): EventRecord[] {
  const records = entries.map(([key, value], index) => {
    if (sequenceOf(key) !== row.inboxFirst + index) {
      throw damaged(`the inbox of '${instanceId}' has a hole`);
    }
    return decodeInboxEvent(value);
  });
  if (row.inboxFirst + records.length !== row.inboxNext) {
    throw damaged(`the inbox of '${instanceId}' lacks events`);
  }
  return records;
}

function stateOf(
  instanceId: string,
  row: Row,
  chunks: readonly Chunk[],
  inbox: readonly EventRecord[],
): OwnedState {
  const state = beginState({
    instanceId,
    propagated: propagatedOf(chunks),
    generation: row.generation,
    workflow: row.workflow,
    executionId: row.executionId,
    createdAt: row.createdAt,
    startAt: row.startAt,
    parent: row.parent,
    tags: row.tags,
    continued: row.eventCount === 0 && rowStatus(row) === "running",
  });
  state.customStatus = row.customStatus;
  try {
    for (const chunk of chunks) {
      for (const record of eventsOf(chunk)) applyEvent(state.fold, record);
    }
    for (const record of inbox) {
      state.inbox.push(record);
      const key = resolutionKey(record.event);
      if (key !== undefined) state.arrived = withItem(state.arrived, key);
    }
  } catch (error) {
    throw damaged(`an event of '${instanceId}' cannot be decoded`, error);
  }
  return state;
}

/** What an execution may see of the histories above it, if anything. */
function propagatedOf([first]: readonly Chunk[]): Uint8Array | undefined {
  return first?.eventCount === 0 ? first.frames : undefined;
}
