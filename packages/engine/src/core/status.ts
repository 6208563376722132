// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "../errors.js";
import type { InstanceStatus } from "../port/management.js";
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

/** True while the instance waits for its delayed start. */
export function isDelayed(state: InstanceState, now: number): boolean {
  return state.startAt > now && state.fold.eventCount === 0;
}

/**
 * Refuses what only the workflow's code could act on while nobody can run it (engine semantics 2.4).
 * Terminate and purge are not refused: nothing may be stuck for good.
 * @throws INSTANCE_STALLED
 */
export function requireNotStalled({ instanceId, fold }: InstanceState): void {
  if (fold.stall === undefined) return;
  throw new EngineError("INSTANCE_STALLED", `workflow is stalled: ${fold.stall.description}`, {
    details: { instanceId },
  });
}
