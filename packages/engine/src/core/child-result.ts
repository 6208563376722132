// SPDX-License-Identifier: Apache-2.0

import {
  type EventRecord,
  type ExecutionCompletedEvent,
  type HistoryEventType,
  OrchestrationStatus,
  type TaskFailureDetails,
} from "@pawl/protocol";
import { engineFailure, inboundRecord, optional } from "./event.js";
import type { Message } from "./outcome.js";
import type { InstanceState, ParentLink } from "./state.js";

/** The message that tells the parent, if there is one, how its child ended (semantics 4.7). */
export function resultForParent(
  state: InstanceState,
  completion: EventRecord,
  now: number,
): Message[] {
  const ended = completion.event.eventType;
  if (state.parent === undefined || ended.case !== "executionCompleted") return [];
  const { instanceId, executionId, taskId } = state.parent;
  const record = inboundRecord(now, childResult(taskId, ended.value));
  return [{ targetId: instanceId, targetExecutionId: executionId, record }];
}

/** The message that tells a parent of its child that was purged before its end. */
export function purgeForParent(
  { instanceId, executionId, taskId }: ParentLink,
  now: number,
): Message {
  const failure = engineFailure("WorkflowPurged", "the child workflow was purged before its end");
  const record = childFailed(taskId, failure, now);
  return { targetId: instanceId, targetExecutionId: executionId, record };
}

/** The result event of a child that could not be started. */
export function childRefused(taskId: number, reason: string, now: number): EventRecord {
  return childFailed(taskId, engineFailure("WorkflowInstanceAlreadyExists", reason), now);
}

/** The result event of a child that failed, or never was. */
export function childFailed(
  taskScheduledId: number,
  failureDetails: TaskFailureDetails,
  now: number,
): EventRecord {
  const value = { taskScheduledId, failureDetails };
  return inboundRecord(now, { case: "childWorkflowInstanceFailed", value });
}

/**
 * Completed is the one good end; every other is a failure. A child that ended without failure details,
 * as every terminated one, is given some: some workers take a failure without them for a success.
 */
function childResult(taskScheduledId: number, ended: ExecutionCompletedEvent): HistoryEventType {
  if (ended.workflowStatus === OrchestrationStatus.COMPLETED) {
    return {
      case: "childWorkflowInstanceCompleted",
      value: { taskScheduledId, ...optional("result", ended.result) },
    };
  }
  const failureDetails = ended.failureDetails ?? unsaidFailure(ended.workflowStatus);
  return { case: "childWorkflowInstanceFailed", value: { taskScheduledId, failureDetails } };
}

function unsaidFailure(status: OrchestrationStatus): TaskFailureDetails {
  return status === OrchestrationStatus.TERMINATED
    ? engineFailure("WorkflowTerminated", "the child workflow was terminated")
    : engineFailure("WorkflowFailed", "the child workflow failed, and its worker said no more");
}
