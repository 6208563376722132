// SPDX-License-Identifier: Apache-2.0

import type {
  EventRaisedEvent,
  ExecutionCompletedEvent,
  ExecutionStartedEvent,
  HistoryEvent,
  TaskCompletedEvent,
  TaskScheduledEvent,
  TimerCreatedEvent,
  TimerFiredEvent,
} from "./gen/durabletask/history_events_pb.js";
import type { WorkflowInstance } from "./gen/durabletask/orchestration_pb.js";
import type { HistoryEventType } from "./history.js";

/** The oneof of an event. */
export type EventTypeMessage = HistoryEvent["eventType"];

/**
 * The oneof of an event of a kind that nearly every step has, as a plain object of the message's
 * shape: the library's `create` walks through all fields of a message. Undefined: it has fields that
 * are not treated here.
 */
export function plainEventType(type: HistoryEventType): EventTypeMessage | undefined {
  switch (type.case) {
    case "workflowStarted":
      if (!hasOnly(type.value, noFields)) return undefined;
      return { case: type.case, value: { $typeName: "WorkflowStartedEvent" } };
    case "executionStarted":
      return plainStart(type.value);
    case "executionCompleted": {
      if (!hasOnly(type.value, endFields)) return undefined;
      const { workflowStatus = 0, result } = type.value;
      const value: ExecutionCompletedEvent = {
        $typeName: "ExecutionCompletedEvent",
        workflowStatus,
      };
      if (result !== undefined) value.result = result;
      return { case: type.case, value };
    }
    case "taskScheduled": {
      if (!hasOnly(type.value, taskFields)) return undefined;
      const { name = "", input, taskExecutionId = "" } = type.value;
      const value: TaskScheduledEvent = { $typeName: "TaskScheduledEvent", name, taskExecutionId };
      if (input !== undefined) value.input = input;
      return { case: type.case, value };
    }
    case "taskCompleted": {
      if (!hasOnly(type.value, resultFields)) return undefined;
      const { taskScheduledId = 0, result, taskExecutionId = "" } = type.value;
      const value: TaskCompletedEvent = {
        $typeName: "TaskCompletedEvent",
        taskScheduledId,
        taskExecutionId,
      };
      if (result !== undefined) value.result = result;
      return { case: type.case, value };
    }
    case "eventRaised": {
      if (!hasOnly(type.value, raisedFields)) return undefined;
      const { name = "", input } = type.value;
      const value: EventRaisedEvent = { $typeName: "EventRaisedEvent", name };
      if (input !== undefined) value.input = input;
      return { case: type.case, value };
    }
    case "timerCreated":
      return plainTimer(type.value);
    case "timerFired": {
      const { fireAt, timerId = 0 } = type.value;
      if (fireAt?.$typeName === undefined || !hasOnly(type.value, firedFields)) return undefined;
      const value: TimerFiredEvent = { $typeName: "TimerFiredEvent", fireAt, timerId };
      return { case: type.case, value };
    }
    default:
      return undefined;
  }
}

/** A timer of the workflow as such, without a name. */
function plainTimer(
  fields: Extract<HistoryEventType, { case: "timerCreated" }>["value"],
): EventTypeMessage | undefined {
  const { fireAt, origin } = fields;
  if (fireAt?.$typeName === undefined || !hasOnly(fields, timerFields)) return undefined;
  if (origin?.case !== "createTimer" || origin.value.$typeName === undefined) return undefined;
  const value: TimerCreatedEvent = {
    $typeName: "TimerCreatedEvent",
    fireAt,
    origin: { case: "createTimer", value: origin.value },
  };
  return { case: "timerCreated", value };
}

function plainStart(
  fields: Extract<HistoryEventType, { case: "executionStarted" }>["value"],
): EventTypeMessage | undefined {
  const { name = "", input, workflowInstance, tags = {} } = fields;
  if (!hasOnly(fields, startFields)) return undefined;
  if (workflowInstance === undefined || !hasOnly(workflowInstance, instanceFields))
    return undefined;
  const { instanceId = "", executionId } = workflowInstance;
  const instance: WorkflowInstance = { $typeName: "WorkflowInstance", instanceId };
  if (executionId !== undefined) instance.executionId = executionId;
  const value: ExecutionStartedEvent = {
    $typeName: "ExecutionStartedEvent",
    name,
    workflowInstance: instance,
    tags,
  };
  if (input !== undefined) value.input = input;
  return { case: "executionStarted", value };
}

type FieldNames = ReadonlySet<string>;
const noFields: FieldNames = new Set();
const startFields: FieldNames = new Set(["name", "input", "workflowInstance", "tags"]);
const instanceFields: FieldNames = new Set(["instanceId", "executionId"]);
const taskFields: FieldNames = new Set(["name", "input", "taskExecutionId"]);
const resultFields: FieldNames = new Set(["taskScheduledId", "result", "taskExecutionId"]);
const endFields: FieldNames = new Set(["workflowStatus", "result"]);
const timerFields: FieldNames = new Set(["fireAt", "origin"]);
const firedFields: FieldNames = new Set(["fireAt", "timerId"]);
const raisedFields: FieldNames = new Set(["name", "input"]);

/** True when nothing else is set. What has a `$typeName` is a message already, and not treated here. */
function hasOnly(fields: Readonly<Record<string, unknown>>, names: FieldNames): boolean {
  for (const name in fields) {
    if (!names.has(name) && fields[name] !== undefined) return false;
  }
  return true;
}
