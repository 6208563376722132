// SPDX-License-Identifier: Apache-2.0

import type { InstanceStatus } from "@pawl/protocol/port";
import type { InstanceState } from "./state.js";

/** Status of an instance, from its history (engine semantics 2.1). */
export function statusOf(state: InstanceState): InstanceStatus {
  const { fold } = state;
  if (fold.end !== undefined) return fold.end;
  if (fold.stall !== undefined) return "stalled";
  if (fold.startRecord === undefined) return state.continued ? "running" : "pending";
  return fold.suspended ? "suspended" : "running";
}

/** True when the instance has ended. */
export function hasEnded(state: InstanceState): boolean {
  return state.fold.end !== undefined;
}

/**
 * True when there is something to do now: events for a turn, or activities to run. An instance that
 * only waits (for a timer, an event, a child) has nothing at hand.
 */
export function hasWorkAtHand(state: InstanceState, now: number): boolean {
  if (state.fold.end === "terminated") return false;
  if (state.fold.tasks.size > state.settled.size) return true;
  return !hasEnded(state) && state.inbox.length > 0 && !isDelayed(state, now);
}

/**
 * Until when an instance only sleeps: the instant of its next timer. 0 where it may be woken before: by a
 * child, or an event that a timer bounds the wait for.
 */
export function sleepsUntil({ fold }: InstanceState): number {
  if (fold.timers.size === 0) return 0;
  let until = Number.POSITIVE_INFINITY;
  for (const { fireAt, eventName } of fold.timers.values()) {
    until = eventName === undefined ? Math.min(until, fireAt) : 0;
  }
  for (const { open } of fold.children.values()) if (open) return 0;
  return until;
}

/** True while the instance waits for its delayed start. */
export function isDelayed(state: InstanceState, now: number): boolean {
  return state.startAt > now && state.fold.eventCount === 0;
}
