// SPDX-License-Identifier: Apache-2.0

import {
  type HistoryEvent,
  type HistoryEventType,
  historyEvent,
  OrchestrationStatus,
} from "@pawl/protocol";

/** An event of no special instant. */
export function event(type: HistoryEventType, eventId = -1): HistoryEvent {
  return historyEvent(eventId, 1, type);
}

/** The start of execution "e" of instance `instanceId`. */
export function started(
  workflow = "w",
  input = "0",
  parent?: { readonly instanceId: string; readonly taskId: number },
): HistoryEvent {
  const parentInstance = parent && {
    taskScheduledId: parent.taskId,
    workflowInstance: { instanceId: parent.instanceId },
  };
  const value = { name: workflow, input, workflowInstance: { instanceId: "i", executionId: "e" } };
  return event({
    case: "executionStarted",
    value: parentInstance === undefined ? value : { ...value, parentInstance },
  });
}

/** A good end. */
export function completed(eventId = 1, result = "0"): HistoryEvent {
  const value = { workflowStatus: OrchestrationStatus.COMPLETED, result };
  return event({ case: "executionCompleted", value }, eventId);
}
