// SPDX-License-Identifier: Apache-2.0

import { noEntries } from "../core/fold/sparse.js";
import { resultKey } from "../core/resolution-key.js";
import type { InstanceState } from "../core/state.js";
import { hasEnded } from "../core/status.js";
import { startTimerId, type TimerKey } from "../store/key.js";

/**
 * The timers that an instance needs on disk, by timer id. A commit brings the disk in line with
 * them, so after a load the same rule says what is there.
 */
export function wantedTimers(state: InstanceState): ReadonlyMap<number, TimerKey> {
  const isDelayed = state.startAt > 0 && state.fold.eventCount === 0;
  if (hasEnded(state) || (!isDelayed && state.fold.timers.size === 0)) return noEntries();
  const wanted = new Map<number, TimerKey>();
  const { instanceId, generation } = state;
  if (isDelayed) {
    const fireAt = state.startAt;
    wanted.set(startTimerId, { instanceId, generation, timerId: startTimerId, fireAt });
  }
  for (const { timerId, fireAt } of state.fold.timers.values()) {
    // A timer whose firing waits in the inbox is done with: the inbox event stands for it.
    if (state.arrived.has(resultKey("timer", timerId))) continue;
    wanted.set(timerId, { instanceId, generation, timerId, fireAt });
  }
  return wanted;
}
