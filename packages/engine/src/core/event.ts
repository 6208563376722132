// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import {
  EventRecord,
  type HistoryEventType,
  historyEvent,
  OrchestrationStatus,
  type TaskFailureDetails,
  TaskFailureDetailsSchema,
} from "@pawl/protocol";

/** Makes the record of an event that records an action; `eventId` is the action's id. */
export function actionRecord(eventId: number, at: number, type: HistoryEventType): EventRecord {
  return EventRecord.of(historyEvent(eventId, at, type));
}

/** Makes the record of any other event: its id is -1 (engine semantics 3.1). */
export function inboundRecord(at: number, type: HistoryEventType): EventRecord {
  return EventRecord.of(historyEvent(-1, at, type));
}

/** A terminate event. `output` becomes the instance's output. */
export function terminatedRecord(
  at: number,
  output: string | undefined,
  recurse: boolean,
): EventRecord {
  return inboundRecord(at, {
    case: "executionTerminated",
    value: { ...(output === undefined ? {} : { input: output }), recurse },
  });
}

/** The completion that the engine itself writes for a terminated instance (semantics 2.5.3). */
export function terminatedCompletion(at: number, output: string | undefined): EventRecord {
  return actionRecord(-1, at, {
    case: "executionCompleted",
    value: {
      workflowStatus: OrchestrationStatus.TERMINATED,
      ...(output === undefined ? {} : { result: output }),
    },
  });
}

/** Failure details that the engine itself writes. */
export function engineFailure(errorType: string, errorMessage: string): TaskFailureDetails {
  return create(TaskFailureDetailsSchema, { errorType, errorMessage });
}

/** Failure details that the engine itself writes, of what would fail again. */
export function finalFailure(errorType: string, errorMessage: string): TaskFailureDetails {
  return create(TaskFailureDetailsSchema, { errorType, errorMessage, isNonRetriable: true });
}

/** A plain field, or nothing where it is undefined: for exact optional properties. */
export function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  const fields: { [P in K]?: V } = {};
  if (value !== undefined) fields[key] = value;
  return fields;
}
