// SPDX-License-Identifier: Apache-2.0

import type { EventRecord } from "@pawl/protocol";
import { resultForParent } from "../child-result.js";
import { inboundRecord, terminatedCompletion, terminatedRecord } from "../event.js";
import { type Message, nothing, type Outcome } from "../outcome.js";
import type { InstanceState } from "../state.js";
import { hasEnded } from "../status.js";

/** How an instance is to be ended. */
export interface TerminateFacts {
  readonly output: string | undefined;
  readonly recursive: boolean;
}

/**
 * Asks for the instance's end. The next turn carries it out. One that has ended stays as it is, but
 * a recursive terminate goes on to its children (engine semantics 2.5.5).
 */
export function terminate(state: InstanceState, facts: TerminateFacts, now: number): Outcome {
  if (hasEnded(state)) {
    return facts.recursive
      ? { accepted: [], messages: terminateChildren(state, facts.output, now) }
      : nothing;
  }
  return { accepted: [terminatedRecord(now, facts.output, facts.recursive)], messages: [] };
}

/** True when a terminate waits in the inbox. */
export function isTerminating(state: InstanceState): boolean {
  return state.inbox.some((record) => record.event.eventType.case === "executionTerminated");
}

/**
 * Ends an instance without its code: for one that no connected worker can run, that is stalled, or
 * whose delayed start has not come. The inbox up to the terminate goes into history as it is.
 */
export function terminateNow(state: InstanceState, now: number): Outcome {
  if (hasEnded(state)) return nothing;
  const consumed =
    state.inbox.findIndex((record) => record.event.eventType.case === "executionTerminated") + 1;
  const taken = state.inbox.slice(0, consumed);
  const terminated = taken.at(-1)?.event.eventType;
  if (terminated?.case !== "executionTerminated") return nothing;
  const completion = terminatedCompletion(now, terminated.value.input);
  const appended: EventRecord[] = [
    inboundRecord(now, { case: "workflowStarted", value: {} }),
    ...taken,
    completion,
  ];
  const messages = [
    ...(terminated.value.recurse ? terminateChildren(state, terminated.value.input, now) : []),
    ...resultForParent(state, completion, now),
  ];
  return {
    accepted: [],
    turn: { consumed, appended, customStatus: state.customStatus },
    messages,
  };
}

/**
 * One terminate message for each distinct child that history has, or is about to have. A child that
 * was refused, because its id was taken, is nobody's to end: hence the execution that asked for it.
 */
export function terminateChildren(
  state: InstanceState,
  output: string | undefined,
  now: number,
  appended: readonly EventRecord[] = [],
): Message[] {
  const ids = new Set([...state.fold.children.values()].map((child) => child.instanceId));
  for (const { event } of appended) {
    const { eventType } = event;
    if (eventType.case === "childWorkflowInstanceCreated") ids.add(eventType.value.instanceId);
  }
  const targetExecutionId = state.executionId;
  return [...ids].map((targetId) => {
    return { targetId, targetExecutionId, record: terminatedRecord(now, output, true) };
  });
}
