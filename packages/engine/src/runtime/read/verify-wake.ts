// SPDX-License-Identifier: Apache-2.0

import type { InstanceState } from "../../core/state.js";
import { hasWorkAtHand } from "../../core/status.js";
import { liveKey, timerKey } from "../../store/key.js";
import type { StoreReader } from "../../store/store.js";
import { wantedTimers } from "../wanted-timers.js";

/**
 * What an instance needs on disk to be woken, and is not there: a timer, or the mark of work at hand.
 * Undefined: nothing is missing.
 */
export async function findMissingWake(
  store: StoreReader,
  state: InstanceState,
): Promise<string | undefined> {
  for (const timer of wantedTimers(state).values()) {
    if ((await store.get(timerKey(timer))) !== undefined) continue;
    return `a timer that would wake it at ${new Date(timer.fireAt).toISOString()} is missing`;
  }
  // One whose delayed start is yet to come has the timer of its start.
  const isToStart = state.startAt > 0 && state.fold.eventCount === 0;
  if (isToStart || !hasWorkAtHand(state, Number.POSITIVE_INFINITY)) return undefined;
  if ((await store.get(liveKey(state.instanceId))) !== undefined) return undefined;
  return "the mark that it has work at hand is missing";
}
