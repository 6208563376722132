// SPDX-License-Identifier: Apache-2.0

import type { EventRecord } from "@pawl/protocol";
import { resolutionKey } from "../core/resolution-key.js";
import { hasEnded, hasWorkAtHand, statusOf } from "../core/status.js";
import { loadMailbox, readHistory, readRow } from "../runtime/loader.js";
import type { MailboxHost } from "../runtime/mailbox.js";
import { wantedTimers } from "../runtime/wanted-timers.js";
import { eventsOf, rowStatus } from "../store/codec.js";
import { findIndexFaults } from "../store/index/index-check.js";
import {
  instanceIdOf,
  type KeyKind,
  kindRange,
  parseTimerKey,
  partitions,
  timerKey,
} from "../store/key.js";
import type { StoreReader } from "../store/store.js";
import { problemsOfExecutions } from "./check-executions.js";

/** What a legal state of a store may still hold. */
export interface Expectation {
  /** Messages may be on their way. @default false */
  readonly messages?: boolean;
}

/** What the store holds beside the instances themselves, by instance. */
interface Marks {
  readonly live: ReadonlySet<string>;
  /** Keys in hex. */
  readonly timers: ReadonlyMap<string, readonly string[]>;
}

/**
 * Problems of a store, as text; none in a legal state. Histories and inboxes are whole, rows agree
 * with the fold of their history, marks and timers are those that the state needs and no others,
 * the indexes say what a recount over the rows says, nothing belongs to nobody, and nothing was
 * resolved twice.
 */
export async function problemsOf(
  store: StoreReader,
  now: number,
  expected: Expectation = {},
): Promise<string[]> {
  const problems: string[] = [];
  const ids = new Set(await keysOf(store, "row", (key) => instanceIdOf(key)));
  const live = new Set(await keysOf(store, "live", (key) => instanceIdOf(key)));
  const timers = new Map<string, string[]>();
  for (const key of await keysOf(store, "timer", (found) => found)) {
    const { instanceId } = parseTimerKey(key);
    timers.set(instanceId, [...(timers.get(instanceId) ?? []), hexOf(key)]);
  }
  const marks: Marks = { live, timers };
  for (const id of ids) problems.push(...(await problemsOfInstance(store, id, marks, now)));
  const owners = [
    ...(await keysOf(store, "history", (key) => instanceIdOf(key, 8))),
    ...(await keysOf(store, "inbox", (key) => instanceIdOf(key, 4))),
    ...live,
    ...timers.keys(),
  ];
  for (const id of new Set(owners)) {
    if (!ids.has(id)) problems.push(`${id}: has keys and no row`);
  }
  for (const { instanceId, reason } of await findIndexFaults(store)) {
    problems.push(`${instanceId}: ${reason}`);
  }
  problems.push(...(await problemsOfExecutions(store)));
  const messages = await keysOf(store, "outbox", (key) => instanceIdOf(key, 4));
  if (expected.messages !== true && messages.length > 0) {
    problems.push(`messages of ${messages.join()} are still on their way`);
  }
  return problems;
}

async function problemsOfInstance(
  store: StoreReader,
  id: string,
  marks: Marks,
  now: number,
): Promise<string[]> {
  const problems: string[] = [];
  const note = (isSo: boolean, what: string): void => {
    if (!isSo) problems.push(`${id}: ${what}`);
  };
  const row = await readRow(store, id);
  if (row === undefined) return [`${id}: no row`];
  const { state } = await loadMailbox(store, id, host(now));
  if (state === undefined) return [`${id}: no state`];
  note(rowStatus(row) === statusOf(state), `row says ${row.status}, history ${statusOf(state)}`);
  note(row.completedAt === state.fold.completedAt, "completedAt differs");
  note(row.stallReason === (state.fold.stall?.description ?? ""), "stall differs");
  note(row.version === state.fold.version, "version differs");
  const isLive = marks.live.has(id);
  // One whose delayed start has just come has its timer to wake it.
  const hasStartTimer = state.startAt > 0 && state.fold.eventCount === 0;
  const isWoken = isLive || hasStartTimer || !hasWorkAtHand(state, now);
  if (!hasEnded(state)) note(isWoken, "has work and no live mark");
  else note(!isLive || hasWorkAtHand(state, now), "has ended and a live mark");
  const wanted = [...wantedTimers(state).values()].map((timer) => hexOf(timerKey(timer)));
  const found = [...(marks.timers.get(id) ?? [])];
  note(found.sort().join() === wanted.sort().join(), "timers differ");
  const chunks = await readHistory(store, id, row);
  const records = chunks.flatMap(eventsOf);
  problems.push(...doubleResults(id, [...records, ...state.inbox]));
  return problems;
}

function doubleResults(id: string, records: readonly EventRecord[]): string[] {
  const keys = records.flatMap((record) => resolutionKey(record.event) ?? []);
  return keys
    .filter((key, index) => keys.indexOf(key) !== index)
    .map((key) => `${id}: ${key} was resolved twice`);
}

async function keysOf<T>(
  store: StoreReader,
  kind: KeyKind,
  of: (key: Uint8Array) => T,
): Promise<T[]> {
  const found: T[] = [];
  for (const partition of partitions) {
    for (const [key] of await store.range(kindRange(kind, partition))) found.push(of(key));
  }
  return found;
}

function hexOf(key: Uint8Array): string {
  return Buffer.from(key).toString("hex");
}

function host(now: number): MailboxHost {
  return { keepsExecutions: true, now: () => now, nextOutboxSequence: () => 1, committed() {} };
}
