// SPDX-License-Identifier: Apache-2.0

import { decodeFrames, type EventRecord } from "@pawl/protocol";
import { resolutionKey } from "../src/core/resolution-key.js";
import { hasEnded, hasWorkAtHand, statusOf } from "../src/core/status.js";
import { loadMailbox, readHistory, readRow } from "../src/runtime/loader.js";
import type { MailboxHost } from "../src/runtime/mailbox.js";
import { wantedTimers } from "../src/runtime/wanted-timers.js";
import { rowStatus } from "../src/store/codec.js";
import { findIndexFaults } from "../src/store/index/index-check.js";
import {
  instanceIdOf,
  type KeyKind,
  kindRange,
  parseTimerKey,
  partitionCount,
  timerKey,
} from "../src/store/key.js";
import type { Store } from "../src/store/store.js";

/** What a legal state of a store may still hold. */
export interface Expectation {
  /** Messages may be on their way. @default false */
  readonly messages?: boolean;
}

/**
 * Problems of a store, as text; none in a legal state. Histories and inboxes are whole, rows agree
 * with the fold of their history, marks and timers are those that the state needs and no others,
 * the indexes say what a recount over the rows says, nothing belongs to nobody, and nothing was resolved twice.
 */
export async function problemsOf(
  store: Store,
  now: number,
  expected: Expectation = {},
): Promise<string[]> {
  const problems: string[] = [];
  const ids = new Set(await keysOf(store, "row", (key) => instanceIdOf(key)));
  for (const id of ids) problems.push(...(await problemsOfInstance(store, id, now)));
  const owners = await Promise.all([
    keysOf(store, "history", (key) => instanceIdOf(key, 8)),
    keysOf(store, "inbox", (key) => instanceIdOf(key, 4)),
    keysOf(store, "live", (key) => instanceIdOf(key)),
    keysOf(store, "timer", (key) => parseTimerKey(key).instanceId),
  ]);
  for (const id of new Set(owners.flat())) {
    if (!ids.has(id)) problems.push(`${id}: has keys and no row`);
  }
  for (const { instanceId, reason } of await findIndexFaults(store)) {
    problems.push(`${instanceId}: ${reason}`);
  }
  const messages = await keysOf(store, "outbox", (key) => instanceIdOf(key, 4));
  if (expected.messages !== true && messages.length > 0) {
    problems.push(`messages of ${messages.join()} are still on their way`);
  }
  return problems;
}

async function problemsOfInstance(store: Store, id: string, now: number): Promise<string[]> {
  const problems: string[] = [];
  const note = (isSo: boolean, what: string): void => {
    if (!isSo) problems.push(`${id}: ${what}`);
  };
  const row = await readRow(store, id);
  if (row === undefined) return [`${id}: no row`];
  const { state } = await loadMailbox(store, id, host(now));
  if (state === undefined) return [`${id}: no state`];
  note(rowStatus(row) === statusOf(state), `row says ${row.status}, history ${statusOf(state)}`);
  note(Number(row.completedAt) === state.fold.completedAt, "completedAt differs");
  note(row.stallReason === (state.fold.stall?.description ?? ""), "stall differs");
  note(row.version === state.fold.version, "version differs");
  const isLive = (await keysOf(store, "live", (key) => instanceIdOf(key))).includes(id);
  // One whose delayed start has just come has its timer to wake it.
  const hasStartTimer = state.startAt > 0 && state.fold.eventCount === 0;
  const isWoken = isLive || hasStartTimer || !hasWorkAtHand(state, now);
  if (!hasEnded(state)) note(isWoken, "has work and no live mark");
  else note(!isLive || hasWorkAtHand(state, now), "has ended and a live mark");
  const timers = (await keysOf(store, "timer", (key) => key))
    .filter((key) => parseTimerKey(key).instanceId === id)
    .map((key) => Buffer.from(key).toString("hex"));
  const wanted = [...wantedTimers(state).values()].map((timer) =>
    Buffer.from(timerKey(timer)).toString("hex"),
  );
  note(timers.sort().join() === wanted.sort().join(), "timers differ");
  const chunks = await readHistory(store, id, row);
  const records = chunks.flatMap(({ frames }) => decodeFrames(frames));
  problems.push(...doubleResults(id, [...records, ...state.inbox]));
  return problems;
}

function doubleResults(id: string, records: readonly EventRecord[]): string[] {
  const keys = records.flatMap((record) => resolutionKey(record.event) ?? []);
  return keys
    .filter((key, index) => keys.indexOf(key) !== index)
    .map((key) => `${id}: ${key} was resolved twice`);
}

async function keysOf<T>(store: Store, kind: KeyKind, of: (key: Uint8Array) => T): Promise<T[]> {
  const found: T[] = [];
  for (let partition = 0; partition < partitionCount; partition += 1) {
    for (const [key] of await store.range(kindRange(kind, partition))) found.push(of(key));
  }
  return found;
}

function host(now: number): MailboxHost {
  return { now: () => now, nextOutboxSequence: () => 1, committed() {} };
}
