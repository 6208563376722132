// SPDX-License-Identifier: Apache-2.0

import { resultKey } from "../../core/resolution-key.js";
import type { InstanceState } from "../../core/state.js";
import { hasEnded, hasWorkAtHand } from "../../core/status.js";
import { decodeMessage, encodeLostRow, type Row } from "../../store/codec.js";
import { isDamage } from "../../store/damaged.js";
import {
  chunkKey,
  executionKey,
  instanceRange,
  liveKey,
  rowKey,
  timerKey,
} from "../../store/key.js";
import { describeLost, type LostBlocks } from "../../store/salvage/lost-blocks.js";
import { mark, put, type Store, type StoreReader, type StoreWrite } from "../../store/store.js";
import type { MailboxHost } from "../commit/mailbox-host.js";
import { loadMailbox, readRow } from "../loader.js";
import { endedWrite } from "../retention/older-executions.js";
import { wantedTimers } from "../wanted-timers.js";

/** Older executions whose loss is looked for, of one instance. */
const olderExecutions = 1000;

/** Nothing is changed by looking. */
const onlooker: MailboxHost = {
  keepsExecutions: false,
  now: () => 0,
  nextOutboxSequence: () => 0,
  committed() {},
};

/**
 * Adds the writes that make again what an instance needs to go on: its timers and its mark of work. One
 * that waits for a child whose message may have been lost is parked.
 * @throws INSTANCE_DAMAGED when a part of it is missing that cannot be made again
 */
export async function mendInstance(
  store: Store,
  lost: LostBlocks,
  instanceId: string,
  row: Row,
  writes: StoreWrite[],
): Promise<void> {
  await mendOlder(store, lost, instanceId, row, writes);
  if (row.completedAt !== 0 && lost.find(liveKey(instanceId)) === undefined) return;
  const { state } = await loadMailbox(store, instanceId, onlooker);
  if (state === undefined) return;
  if (hasEnded(state)) {
    // Whether its last activities have run is not known any more; they run at least once.
    const isUnsettled = state.fold.end !== "terminated" && state.fold.tasks.size > 0;
    if (isUnsettled) writes.push(mark(liveKey(instanceId)));
    return;
  }
  const missing = await findMissingMessage(store, lost, state);
  if (missing !== undefined) {
    const value = encodeLostRow(missing);
    writes.push(put(rowKey(instanceId), value));
    writes.push(mark(liveKey(instanceId)));
    return;
  }
  for (const timer of wantedTimers(state).values()) {
    writes.push(mark(timerKey(timer)));
  }
  // One whose delayed start is yet to come has the timer of its start.
  const isToStart = state.startAt > 0 && state.fold.eventCount === 0;
  if (!isToStart && hasWorkAtHand(state, Number.POSITIVE_INFINITY)) {
    writes.push(mark(liveKey(instanceId)));
  }
}

/** What says that the start of a child, or its result, was lost on its way; undefined: nothing does. */
async function findMissingMessage(
  store: Store,
  lost: LostBlocks,
  state: InstanceState,
): Promise<string | undefined> {
  for (const [taskId, child] of state.fold.children) {
    if (!child.open || state.arrived.has(resultKey("child", taskId))) continue;
    const childId = child.instanceId;
    const row = await readIntactRow(store, childId);
    if (row === "damaged") continue;
    const isOurs = row?.parent?.executionId === state.executionId;
    if (isOurs && row.completedAt === 0) continue;
    const [sender, target] = isOurs ? [childId, state.instanceId] : [state.instanceId, childId];
    const block = lost.findIn(instanceRange("outbox", sender));
    if (block === undefined || (await isOnItsWay(store, sender, target))) continue;
    const what = isOurs ? "the result of" : "the start of";
    return `${what} its child '${childId}' may have been in ${describeLost(block)}`;
  }
  return undefined;
}

async function readIntactRow(
  store: StoreReader,
  instanceId: string,
): Promise<Row | "damaged" | undefined> {
  try {
    return await readRow(store, instanceId);
  } catch (error) {
    if (isDamage(error)) return "damaged";
    throw error;
  }
}

async function isOnItsWay(store: StoreReader, sender: string, target: string): Promise<boolean> {
  const messages = await store.range(instanceRange("outbox", sender));
  return messages.some(([, value]) => {
    const message = decodeMessage(value);
    return "record" in message && message.targetId === target;
  });
}

/** Older executions get the marks of their ends; one that was lost gets a row that says so. */
async function mendOlder(
  store: Store,
  lost: LostBlocks,
  instanceId: string,
  { generation }: Row,
  writes: StoreWrite[],
): Promise<void> {
  const oldest = Math.max(1, generation - olderExecutions);
  for (let older = generation - 1; older >= oldest; older -= 1) {
    const key = executionKey(instanceId, older);
    const value = await store.get(key);
    if (value !== undefined) {
      const ended = endedWrite(instanceId, value);
      if (ended !== undefined) writes.push(ended);
      continue;
    }
    const block = lost.find(key);
    const first = chunkKey(instanceId, older, 0);
    if (block === undefined) continue;
    // One that went on as new was never kept, and its history is gone.
    if (lost.find(first) === undefined && (await store.get(first)) === undefined) continue;
    const reason = `an older execution of '${instanceId}' was in ${describeLost(block)}`;
    writes.push(put(key, encodeLostRow(reason)));
  }
}
