// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent } from "@pawl/protocol";
import type { InstanceState } from "./state.js";

const kinds = { task: 0, timer: 1, child: 2 } as const;

/** The key of what a result resolves. A number: a text would be made anew for each look. */
export function resultKey(kind: keyof typeof kinds, id: number): number {
  return id * 3 + kinds[kind];
}

/**
 * What a result resolves, as a key: kind and id (engine semantics 5.1). `undefined` for events that
 * resolve nothing.
 */
export function resolutionKey(event: HistoryEvent): number | undefined {
  const { eventType } = event;
  switch (eventType.case) {
    case "taskCompleted":
    case "taskFailed":
      return resultKey("task", eventType.value.taskScheduledId);
    case "timerFired":
      return resultKey("timer", eventType.value.timerId);
    case "childWorkflowInstanceCompleted":
    case "childWorkflowInstanceFailed":
      return resultKey("child", eventType.value.taskScheduledId);
    default:
      return undefined;
  }
}

/** True when the event is the first result of something that the instance waits for. */
export function isWanted(state: InstanceState, event: HistoryEvent): boolean {
  const key = resolutionKey(event);
  if (key !== undefined && state.arrived.has(key)) return false;
  const { eventType } = event;
  switch (eventType.case) {
    case "taskCompleted":
    case "taskFailed":
      return state.fold.tasks.has(eventType.value.taskScheduledId);
    case "timerFired":
      return state.fold.timers.has(eventType.value.timerId);
    case "childWorkflowInstanceCompleted":
    case "childWorkflowInstanceFailed":
      return state.fold.children.get(eventType.value.taskScheduledId)?.open === true;
    default:
      return true;
  }
}
