// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import {
  type HistoryEvent,
  historyEvent,
  TaskFailureDetailsSchema,
  TimerOriginActivityRetrySchema,
  TimerOriginCreateTimerSchema,
  TimerOriginExternalEventSchema,
  toTimestamp,
} from "@pawl/protocol";

/** History events by hand, one function a kind. Instants are in milliseconds since 1970. */
export const history = {
  turn: (atMs: number, ...patches: string[]): HistoryEvent =>
    historyEvent(-1, atMs, {
      case: "workflowStarted",
      value: patches.length === 0 ? {} : { version: { patches } },
    }),
  start: (name: string, input?: unknown): HistoryEvent =>
    historyEvent(-1, 0, {
      case: "executionStarted",
      value: { name, ...(input === undefined ? {} : { input: JSON.stringify(input) }) },
    }),
  activity: (id: number, name: string, taskExecutionId = ""): HistoryEvent =>
    historyEvent(id, 0, { case: "taskScheduled", value: { name, taskExecutionId } }),
  activityDone: (id: number, output?: unknown, taskExecutionId = ""): HistoryEvent =>
    historyEvent(-1, 0, {
      case: "taskCompleted",
      value: {
        taskScheduledId: id,
        taskExecutionId,
        ...(output === undefined ? {} : { result: JSON.stringify(output) }),
      },
    }),
  activityFailed: (id: number, errorType = "Error", isNonRetriable = false): HistoryEvent =>
    historyEvent(-1, 0, {
      case: "taskFailed",
      value: {
        taskScheduledId: id,
        failureDetails: create(TaskFailureDetailsSchema, {
          errorType,
          errorMessage: `${errorType} of ${id}`,
          isNonRetriable,
        }),
      },
    }),
  child: (id: number, name: string, instanceId: string): HistoryEvent =>
    historyEvent(id, 0, { case: "childWorkflowInstanceCreated", value: { name, instanceId } }),
  childDone: (id: number, output?: unknown): HistoryEvent =>
    historyEvent(-1, 0, {
      case: "childWorkflowInstanceCompleted",
      value: {
        taskScheduledId: id,
        ...(output === undefined ? {} : { result: JSON.stringify(output) }),
      },
    }),
  childFailed: (id: number, errorType?: string): HistoryEvent =>
    historyEvent(-1, 0, {
      case: "childWorkflowInstanceFailed",
      value: {
        taskScheduledId: id,
        ...(errorType === undefined
          ? {}
          : {
              failureDetails: create(TaskFailureDetailsSchema, {
                errorType,
                errorMessage: `${errorType} of ${id}`,
              }),
            }),
      },
    }),
  timer: (id: number, fireAtMs: number, name?: string): HistoryEvent =>
    historyEvent(id, 0, {
      case: "timerCreated",
      value: {
        fireAt: toTimestamp(fireAtMs),
        ...(name === undefined ? {} : { name }),
        origin: { case: "createTimer", value: create(TimerOriginCreateTimerSchema) },
      },
    }),
  eventTimer: (id: number, fireAtMs: number, name: string): HistoryEvent =>
    historyEvent(id, 0, {
      case: "timerCreated",
      value: {
        fireAt: toTimestamp(fireAtMs),
        origin: { case: "externalEvent", value: create(TimerOriginExternalEventSchema, { name }) },
      },
    }),
  retryTimer: (id: number, fireAtMs: number, name: string): HistoryEvent =>
    historyEvent(id, 0, {
      case: "timerCreated",
      value: {
        fireAt: toTimestamp(fireAtMs),
        name,
        origin: { case: "activityRetry", value: create(TimerOriginActivityRetrySchema) },
      },
    }),
  timerFired: (id: number): HistoryEvent =>
    historyEvent(-1, 0, { case: "timerFired", value: { timerId: id } }),
  event: (name: string, payload?: unknown): HistoryEvent =>
    historyEvent(-1, 0, {
      case: "eventRaised",
      value: { name, ...(payload === undefined ? {} : { input: JSON.stringify(payload) }) },
    }),
  eventSent: (id: number, instanceId: string, name: string): HistoryEvent =>
    historyEvent(id, 0, { case: "eventSent", value: { instanceId, name } }),
  suspend: (): HistoryEvent => historyEvent(-1, 0, { case: "executionSuspended", value: {} }),
  resume: (): HistoryEvent => historyEvent(-1, 0, { case: "executionResumed", value: {} }),
  terminate: (output?: unknown): HistoryEvent =>
    historyEvent(-1, 0, {
      case: "executionTerminated",
      value: output === undefined ? {} : { input: JSON.stringify(output) },
    }),
};
