// SPDX-License-Identifier: Apache-2.0

import { toBinary } from "@bufbuild/protobuf";
import {
  type ExecutionCompletedEvent,
  type ExecutionStartedEvent,
  type HistoryEvent,
  HistoryEventSchema,
  type TaskCompletedEvent,
  type TaskScheduledEvent,
  type TimerCreatedEvent,
} from "./gen/durabletask/history_events_pb.js";
import type { ByteWriter } from "./write/byte-writer.js";
import { int32, open, text } from "./write/field-writer.js";
import { emptyMessage, timestamp, wrapped } from "./write/message-writer.js";

// The events that nearly every step writes, field by field: a fifth of the time of the library's
// own encoder, which takes every other event, and every field that is not named here. Tested byte
// for byte against it.

/** Field numbers of the events in the Durable Task HistoryEvent. */
const fields = {
  executionStarted: 3,
  executionCompleted: 4,
  taskScheduled: 6,
  taskCompleted: 7,
  timerCreated: 12,
  timerFired: 13,
  workflowStarted: 14,
  eventRaised: 17,
} as const;

/** Writes an event in Durable Task wire form. @throws an error of protobuf-es for a value that its field cannot hold */
export function writeEvent(writer: ByteWriter, event: HistoryEvent): void {
  if (!isCommon(event)) {
    writer.raw(toBinary(HistoryEventSchema, event));
    return;
  }
  int32(writer, 1, event.eventId);
  if (event.timestamp !== undefined) timestamp(writer, 2, event.timestamp);
  const { eventType } = event;
  switch (eventType.case) {
    case "executionStarted":
      open(writer, fields.executionStarted);
      executionStarted(writer, eventType.value);
      break;
    case "executionCompleted":
      open(writer, fields.executionCompleted);
      int32(writer, 1, eventType.value.workflowStatus);
      wrapped(writer, 2, eventType.value.result);
      break;
    case "taskScheduled":
      open(writer, fields.taskScheduled);
      text(writer, 1, eventType.value.name);
      wrapped(writer, 3, eventType.value.input);
      text(writer, 5, eventType.value.taskExecutionId);
      break;
    case "taskCompleted":
      open(writer, fields.taskCompleted);
      int32(writer, 1, eventType.value.taskScheduledId);
      wrapped(writer, 2, eventType.value.result);
      text(writer, 3, eventType.value.taskExecutionId);
      break;
    case "timerCreated":
      open(writer, fields.timerCreated);
      if (eventType.value.fireAt !== undefined) timestamp(writer, 1, eventType.value.fireAt);
      if (eventType.value.origin.case === "createTimer") emptyMessage(writer, 4);
      break;
    case "timerFired":
      open(writer, fields.timerFired);
      if (eventType.value.fireAt !== undefined) timestamp(writer, 1, eventType.value.fireAt);
      int32(writer, 2, eventType.value.timerId);
      break;
    case "eventRaised":
      open(writer, fields.eventRaised);
      text(writer, 1, eventType.value.name);
      wrapped(writer, 2, eventType.value.input);
      break;
    default:
      open(writer, fields.workflowStarted);
      break;
  }
  writer.join();
}

/** True when nothing is set in the event that `writeEvent` does not write itself. */
function isCommon({ $unknown, router, timestamp: at, eventType }: HistoryEvent): boolean {
  if ($unknown !== undefined || router !== undefined || at?.$unknown !== undefined) return false;
  if (eventType.value?.$unknown !== undefined) return false;
  switch (eventType.case) {
    case "executionStarted":
      return isCommonStart(eventType.value);
    case "executionCompleted":
      return isCommonEnd(eventType.value);
    case "taskScheduled":
      return isCommonTask(eventType.value);
    case "taskCompleted":
      return isCommonResult(eventType.value);
    case "timerCreated":
      return isCommonTimer(eventType.value);
    case "timerFired":
      return eventType.value.fireAt?.$unknown === undefined;
    case "workflowStarted":
      return eventType.value.version === undefined;
    case "eventRaised":
      return isText(eventType.value.name) && isPayload(eventType.value.input);
    default:
      return false;
  }
}

function isCommonStart(event: ExecutionStartedEvent): boolean {
  return (
    Object.keys(event.tags).length === 0 &&
    isText(event.name) &&
    isPayload(event.input) &&
    event.version === undefined &&
    event.parentInstance === undefined &&
    event.scheduledStartTimestamp === undefined &&
    event.parentTraceContext === undefined &&
    event.workflowSpanID === undefined &&
    event.workflowInstance?.$unknown === undefined
  );
}

function isCommonEnd(event: ExecutionCompletedEvent): boolean {
  return isPayload(event.result) && event.failureDetails === undefined;
}

function isCommonTask(event: TaskScheduledEvent): boolean {
  return (
    isText(event.name) &&
    isText(event.taskExecutionId) &&
    isPayload(event.input) &&
    event.version === undefined &&
    event.parentTraceContext === undefined &&
    event.rerunParentInstanceInfo === undefined &&
    event.historyPropagationScope === undefined
  );
}

function isCommonResult(event: TaskCompletedEvent): boolean {
  return (
    isPayload(event.result) &&
    isText(event.taskExecutionId) &&
    event.attestation === undefined &&
    event.signerCertificate === undefined
  );
}

function isCommonTimer(event: TimerCreatedEvent): boolean {
  const { origin } = event;
  return (
    (origin.case === undefined ||
      (origin.case === "createTimer" && origin.value.$unknown === undefined)) &&
    event.name === undefined &&
    event.rerunParentInstanceInfo === undefined &&
    event.fireAt?.$unknown === undefined
  );
}

/** The writer would make a text of anything; the library's encoder refuses it. */
function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isPayload(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

function executionStarted(writer: ByteWriter, event: ExecutionStartedEvent): void {
  text(writer, 1, event.name);
  wrapped(writer, 3, event.input);
  const instance = event.workflowInstance;
  if (instance === undefined) return;
  open(writer, 4);
  text(writer, 1, instance.instanceId);
  wrapped(writer, 2, instance.executionId);
  writer.join();
}
