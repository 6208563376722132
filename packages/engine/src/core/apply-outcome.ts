// SPDX-License-Identifier: Apache-2.0

import type { EventRecord } from "@pawl/protocol";
import { applyEvent } from "./apply-event.js";
import { withItem, without } from "./fold/sparse.js";
import type { Outcome } from "./outcome.js";
import { resolutionKey, resultKey } from "./resolution-key.js";
import { beginState, type OwnedState } from "./state.js";

/**
 * Carries an outcome out on the state that its mailbox owns, and gives the state back: the same
 * object, or a new one when the instance begins.
 */
export function applyOutcome(state: OwnedState | undefined, outcome: Outcome): OwnedState {
  let next = state;
  if (outcome.turn !== undefined && next !== undefined) takeFromInbox(next, outcome.turn.consumed);
  if (outcome.beginning !== undefined) {
    const kept = outcome.beginning.continued ? (next?.inbox ?? []) : [];
    next = beginState(outcome.beginning);
    accept(next, outcome.accepted);
    // Results for the execution before, and events of its past, mean nothing to the new one.
    accept(
      next,
      kept.filter((record) => resolutionKey(record.event) === undefined),
    );
  } else if (next !== undefined) {
    accept(next, outcome.accepted);
  }
  if (next === undefined) throw new Error("an outcome without a beginning for no instance");
  if (outcome.settledTask !== undefined) next.settled = withItem(next.settled, outcome.settledTask);
  if (outcome.turn !== undefined) {
    next.customStatus = outcome.turn.customStatus;
    for (const record of outcome.turn.appended) applyEvent(next.fold, record);
    if (next.fold.end !== undefined) settleArrived(next);
  }
  return next;
}

/** The activities of an ended instance whose results wait in the inbox have run: no turn will take them. */
export function settleArrived(state: OwnedState): void {
  for (const taskId of state.fold.tasks.keys()) {
    if (!state.arrived.has(resultKey("task", taskId))) continue;
    state.settled = withItem(state.settled, taskId);
  }
}

function accept(state: OwnedState, records: readonly EventRecord[]): void {
  for (const record of records) {
    state.inbox.push(record);
    const key = resolutionKey(record.event);
    if (key !== undefined) state.arrived = withItem(state.arrived, key);
  }
}

function takeFromInbox(state: OwnedState, count: number): void {
  for (const record of state.inbox.splice(0, count)) {
    const key = resolutionKey(record.event);
    if (key !== undefined) without(state.arrived, key);
  }
}
