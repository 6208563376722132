// SPDX-License-Identifier: Apache-2.0

import type { TaskFailureDetails } from "@pawl/protocol";
import type { Failure, Instance, StallCode } from "@pawl/protocol/port";
import { rowStatus } from "../../store/codec.js";
import { updatedAtOf } from "../../store/index/index-key.js";
import type { Snapshot } from "../mailbox.js";

/** The fields of an instance, as they are filled in. */
type Draft = { -readonly [K in keyof Instance]: Instance[K] };

/** An instance as callers see it. */
export function instanceOf(instanceId: string, snapshot: Snapshot, payloads: boolean): Instance {
  const { row } = snapshot;
  const instance: Draft = {
    instanceId,
    workflow: row.workflow,
    status: rowStatus(row),
    executionId: row.executionId,
    generation: row.generation,
    createdAt: row.createdAt,
    updatedAt: updatedAtOf(row),
    tags: row.tags,
    historyLength: row.eventCount,
  };
  // A rerun has the first turn of its source, which began before it.
  const startedAt = Math.max(row.startedAt, instance.createdAt);
  if (row.startedAt !== 0) instance.startedAt = startedAt;
  if (row.completedAt !== 0) instance.completedAt = row.completedAt;
  if (row.startAt !== 0) instance.startAt = row.startAt;
  if (row.parent !== undefined) instance.parentInstanceId = row.parent.instanceId;
  if (row.version !== "") instance.version = row.version;
  if (row.stallReason !== "") instance.stallReason = row.stallReason;
  // The engine wrote it, from a stall's own code.
  if (row.stallCode !== "") instance.stallCode = row.stallCode as StallCode;
  if (payloads) addPayloads(instance, snapshot);
  return instance;
}

function addPayloads(instance: Draft, { row, startRecord, endRecord }: Snapshot): void {
  if (row.customStatus !== undefined) instance.customStatus = row.customStatus;
  const started = startRecord?.event.eventType;
  if (started?.case === "executionStarted" && started.value.input !== undefined) {
    instance.input = started.value.input;
  }
  const ended = endRecord?.event.eventType;
  if (ended?.case !== "executionCompleted") return;
  const { result, failureDetails } = ended.value;
  if (result !== undefined) instance.output = result;
  if (failureDetails !== undefined) instance.failure = failureOf(failureDetails);
}

/** Failure details in our own words. */
export function failureOf(details: TaskFailureDetails): Failure {
  const { errorType, errorMessage, stackTrace, innerFailure, isNonRetriable } = details;
  return {
    type: errorType,
    message: errorMessage,
    nonRetriable: isNonRetriable,
    ...(stackTrace === undefined ? {} : { stackTrace }),
    ...(innerFailure === undefined ? {} : { cause: failureOf(innerFailure) }),
  };
}
