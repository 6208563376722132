// SPDX-License-Identifier: Apache-2.0

import type { HistoryEventType, TaskFailureDetails } from "@pawl/protocol";
import { inboundRecord } from "../event.js";
import { boundFailure } from "../limit/failure-limit.js";
import { excessBytes, failureExcess, payloadFailure } from "../limit/payload-limit.js";
import { nothing, type Outcome } from "../outcome.js";
import { isWanted } from "../resolution-key.js";
import type { InstanceState } from "../state.js";
import { hasEnded } from "../status.js";

/** How an activity ended: `failure` present means that it failed. */
export interface ActivityFacts {
  /** The execution that asked for it. */
  readonly executionId: string;
  readonly taskId: number;
  readonly output: string | undefined;
  readonly failure: TaskFailureDetails | undefined;
}

/**
 * Puts an activity's result into the inbox. A result for another execution, and a second one for
 * the same task, change nothing (engine semantics 5.1, 5.4). An ended instance only notes that the
 * activity need not run again.
 */
export function completeActivity(state: InstanceState, facts: ActivityFacts, now: number): Outcome {
  if (state.executionId !== facts.executionId) return nothing;
  if (hasEnded(state)) {
    const isOpen = state.fold.tasks.has(facts.taskId) && !state.settled.has(facts.taskId);
    return isOpen ? { ...nothing, settledTask: facts.taskId } : nothing;
  }
  const scheduled = state.fold.tasks.get(facts.taskId)?.record.event.eventType;
  const taskExecutionId =
    scheduled?.case === "taskScheduled" ? scheduled.value.taskExecutionId : "";
  const record = inboundRecord(now, resultOf(facts, taskExecutionId));
  return isWanted(state, record.event) ? { accepted: [record], messages: [] } : nothing;
}

function resultOf(facts: ActivityFacts, taskExecutionId: string): HistoryEventType {
  const { taskId: taskScheduledId, output } = facts;
  const excess = excessBytes(output);
  const failureDetails =
    excess === undefined
      ? facts.failure && withinLimit(facts.failure)
      : payloadFailure("the output of the activity", excess);
  return failureDetails === undefined
    ? { case: "taskCompleted", value: { taskScheduledId, taskExecutionId, result: output } }
    : { case: "taskFailed", value: { taskScheduledId, taskExecutionId, failureDetails } };
}

function withinLimit(failure: TaskFailureDetails): TaskFailureDetails {
  return failureExcess("the failure of the activity", failure) ?? boundFailure(failure);
}
