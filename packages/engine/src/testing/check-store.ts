// SPDX-License-Identifier: Apache-2.0

import { resolutionKey } from "../core/resolution-key.js";
import { hasEnded, hasWorkAtHand, statusOf } from "../core/status.js";
import type { MailboxHost } from "../runtime/commit/mailbox-host.js";
import { loadMailbox } from "../runtime/loader.js";
import { wantedTimers } from "../runtime/wanted-timers.js";
import { decodeChunk, eventsOf, rowStatus } from "../store/codec.js";
import { findIndexFaults } from "../store/index/index-check.js";
import {
  generationRange,
  instanceIdOf,
  type KeyKind,
  kindRange,
  parseTimerKey,
  partitionOf,
  partitions,
  timerKey,
} from "../store/key.js";
import type { StoreReader } from "../store/store.js";
import { problemsOfExecutions } from "./check-executions.js";

/** What a legal state of a store may still hold. */
export interface Expectation {
  /** Messages may be on their way. @default false */
  readonly messages?: boolean;
  /** Instances that have changed since the store was found legal: no others are looked at. @default all */
  readonly changed?: ReadonlySet<string>;
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
  { messages: mayBeSent = false, changed }: Expectation = {},
): Promise<string[]> {
  const problems: string[] = [];
  const where = changed === undefined ? partitions : new Set([...changed].map(partitionOf));
  const ids = new Set(await keysOf(store, where, "row", (key) => instanceIdOf(key)));
  const live = new Set(await keysOf(store, where, "live", (key) => instanceIdOf(key)));
  const timers = new Map<string, string[]>();
  for (const key of await keysOf(store, where, "timer", (found) => found)) {
    const { instanceId } = parseTimerKey(key);
    timers.set(instanceId, [...(timers.get(instanceId) ?? []), hexOf(key)]);
  }
  const marks: Marks = { live, timers };
  for (const id of ids) {
    if (changed?.has(id) === false) continue;
    problems.push(...(await problemsOfInstance(store, id, marks, now)));
  }
  const owners = [
    ...(await keysOf(store, where, "history", (key) => instanceIdOf(key, 8))),
    ...(await keysOf(store, where, "inbox", (key) => instanceIdOf(key, 4))),
    ...live,
    ...timers.keys(),
  ];
  for (const id of new Set(owners)) {
    if (!ids.has(id)) problems.push(`${id}: has keys and no row`);
  }
  for (const { instanceId, reason } of await findIndexFaults(store, where)) {
    problems.push(`${instanceId}: ${reason}`);
  }
  problems.push(...(await problemsOfExecutions(store, where)));
  const messages = await keysOf(store, partitions, "outbox", (key) => instanceIdOf(key, 4));
  if (!mayBeSent && messages.length > 0) {
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
  const { state, snapshot } = await loadMailbox(store, id, host(now));
  if (state === undefined || snapshot === undefined) return [`${id}: no state`];
  const { row } = snapshot;
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
  const history = await store.range(generationRange(id, row.generation));
  const resolved = history.flatMap(([, value]) => resolvedIn(value));
  const arrived = state.inbox.flatMap((record) => resolutionKey(record.event) ?? []);
  problems.push(...doubleResults(id, [...resolved, ...arrived]));
  return problems;
}

/** By stored chunk: a store in memory gives the same one each time. */
const resolvedInChunks = new WeakMap<Uint8Array, readonly number[]>();

/** What a stored chunk of history resolves. */
function resolvedIn(value: Uint8Array): readonly number[] {
  const known = resolvedInChunks.get(value);
  if (known !== undefined) return known;
  const resolved = eventsOf(decodeChunk(value)).flatMap(({ event }) => resolutionKey(event) ?? []);
  resolvedInChunks.set(value, resolved);
  return resolved;
}

function doubleResults(id: string, resolved: readonly number[]): string[] {
  return resolved
    .filter((key, index) => resolved.indexOf(key) !== index)
    .map((key) => `${id}: ${key} was resolved twice`);
}

async function keysOf<T>(
  store: StoreReader,
  where: Iterable<number>,
  kind: KeyKind,
  of: (key: Uint8Array) => T,
): Promise<T[]> {
  const found: T[] = [];
  for (const partition of where) {
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
