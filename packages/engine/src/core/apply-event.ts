// SPDX-License-Identifier: Apache-2.0

import {
  type EventRecord,
  fromTimestamp,
  type HistoryEvent,
  OrchestrationStatus,
  StalledReason,
  type TimerCreatedEvent,
} from "@pawl/protocol";
import { foldEventName } from "./event-name.js";
import { noEntries, withEntry, withItem, without } from "./fold/sparse.js";
import type { EndStatus, OpenTimer, OwnedFold, Stall } from "./state.js";
import { spanEventLimit, spanEventsOf } from "./trace/span-event.js";

/**
 * Adds one history event to a fold. Folding a whole history from `emptyFold` gives the stored
 * state. Event kinds that say nothing of the state only count.
 */
export function applyEvent(fold: OwnedFold, record: EventRecord): void {
  const event = record.event;
  const at = event.timestamp === undefined ? 0 : fromTimestamp(event.timestamp);
  fold.eventCount += 1;
  fold.updatedAt = Math.max(fold.updatedAt, at);
  // Any later event ends a stall (engine semantics 2.1).
  fold.stall = undefined;
  const { eventType } = event;
  switch (eventType.case) {
    case "workflowStarted":
      if (fold.startedAt === 0) {
        fold.startedAt = at;
        fold.version = eventType.value.version?.name ?? "";
      }
      fold.patches.push(...(eventType.value.version?.patches ?? []));
      break;
    case "executionStarted":
      fold.startRecord = record;
      break;
    case "executionCompleted":
      fold.end = endStatusOf(eventType.value.workflowStatus);
      fold.endRecord = record;
      fold.completedAt = at;
      fold.actionIds = withItem(fold.actionIds, event.eventId);
      fold.timers = noEntries();
      break;
    case "executionSuspended":
      fold.suspended = true;
      noteSpanEvent(fold, event);
      break;
    case "executionResumed":
      fold.suspended = false;
      noteSpanEvent(fold, event);
      break;
    case "executionStalled":
      fold.stall = stallOf(eventType.value.reason, eventType.value.description ?? "");
      noteSpanEvent(fold, event);
      break;
    case "eventRaised":
      clearWaitTimer(fold, eventType.value.name);
      noteSpanEvent(fold, event);
      break;
    default:
      applyTaskEvent(fold, record, event, at);
  }
}

/** Keeps what the execution's span is to tell of, if it has one. */
function noteSpanEvent(fold: OwnedFold, event: HistoryEvent): void {
  const started = fold.startRecord?.event.eventType;
  if (started?.case !== "executionStarted" || started.value.workflowSpanID === undefined) return;
  fold.spanEvents.push(...spanEventsOf(event));
  if (fold.spanEvents.length > spanEventLimit) fold.spanEvents.shift();
}

/** Adds an event about a task, timer or child. */
function applyTaskEvent(
  fold: OwnedFold,
  record: EventRecord,
  event: HistoryEvent,
  createdAt: number,
): void {
  const { eventId, eventType } = event;
  switch (eventType.case) {
    case "taskScheduled":
      fold.actionIds = withItem(fold.actionIds, eventId);
      without(fold.failed, eventId);
      fold.tasks = withEntry(fold.tasks, eventId, { taskId: eventId, record });
      break;
    case "taskCompleted":
    case "taskFailed":
      if (eventType.case === "taskFailed")
        fold.failed = withItem(fold.failed, eventType.value.taskScheduledId);
      without(fold.tasks, eventType.value.taskScheduledId);
      break;
    case "timerCreated":
      fold.actionIds = withItem(fold.actionIds, eventId);
      if (fold.end === undefined) {
        fold.timers = withEntry(fold.timers, eventId, timerOf(eventId, createdAt, eventType.value));
      }
      break;
    case "timerFired":
      without(fold.timers, eventType.value.timerId);
      break;
    case "childWorkflowInstanceCreated":
      fold.actionIds = withItem(fold.actionIds, eventId);
      without(fold.failed, eventId);
      fold.children = withEntry(fold.children, eventId, {
        instanceId: eventType.value.instanceId,
        open: true,
      });
      break;
    case "childWorkflowInstanceCompleted":
    case "childWorkflowInstanceFailed": {
      const taskId = eventType.value.taskScheduledId;
      if (eventType.case === "childWorkflowInstanceFailed")
        fold.failed = withItem(fold.failed, taskId);
      const child = fold.children.get(taskId);
      if (child !== undefined)
        fold.children = withEntry(fold.children, taskId, { ...child, open: false });
      break;
    }
    case "detachedWorkflowInstanceCreated":
    case "eventSent":
      fold.actionIds = withItem(fold.actionIds, eventId);
      break;
    default:
  }
}

function timerOf(timerId: number, createdAt: number, created: TimerCreatedEvent): OpenTimer {
  const { fireAt: exactFireAt, origin } = created;
  // The store orders timers from 1970 on; one of before is due all the same.
  const fireAt = exactFireAt === undefined ? 0 : Math.max(fromTimestamp(exactFireAt), 0);
  return origin.case === "externalEvent"
    ? { timerId, createdAt, fireAt, exactFireAt, eventName: foldEventName(origin.value.name) }
    : { timerId, createdAt, fireAt, exactFireAt };
}

/**
 * A raised event ends the wait that it satisfies, and so the wait's timer: the oldest open one of
 * that event name (engine semantics 7.1.3).
 */
function clearWaitTimer(fold: OwnedFold, name: string): void {
  const folded = foldEventName(name);
  for (const timer of fold.timers.values()) {
    if (timer.eventName === folded) {
      without(fold.timers, timer.timerId);
      return;
    }
  }
}

function endStatusOf(status: OrchestrationStatus): EndStatus {
  switch (status) {
    case OrchestrationStatus.COMPLETED:
      return "completed";
    case OrchestrationStatus.TERMINATED:
      return "terminated";
    default:
      return "failed";
  }
}

function stallOf(reason: StalledReason, description: string): Stall {
  switch (reason) {
    case StalledReason.PATCH_MISMATCH:
      return { reason: "PATCH_MISMATCH", description };
    case StalledReason.VERSION_NOT_AVAILABLE:
      return { reason: "VERSION_NOT_AVAILABLE", description };
    default:
      return { reason: "PAYLOAD_SIZE_EXCEEDED", description };
  }
}
