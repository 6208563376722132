// SPDX-License-Identifier: Apache-2.0

import type {
  ExecutionCompletedEvent,
  ExecutionStartedEvent,
  TaskFailureDetails,
} from "@pawl/protocol";
import type { Failure, Instance } from "@pawl/protocol/port";
import { rowStatus } from "../../store/codec.js";
import { updatedAtOf } from "../../store/index/index-key.js";
import type { Snapshot } from "../mailbox.js";

/** An instance as callers see it. */
export function instanceOf(instanceId: string, snapshot: Snapshot, payloads: boolean): Instance {
  const { row } = snapshot;
  return {
    instanceId,
    workflow: row.workflow,
    status: rowStatus(row),
    executionId: row.executionId,
    generation: row.generation,
    createdAt: Number(row.createdAt),
    updatedAt: updatedAtOf(row),
    ...instant("startedAt", row.startedAt),
    ...instant("completedAt", row.completedAt),
    ...instant("startAt", row.startAt),
    ...(row.parent === undefined ? {} : { parentInstanceId: row.parent.instanceId }),
    tags: row.tags,
    ...text("version", row.version),
    ...text("stallReason", row.stallReason),
    ...text("stallCode", row.stallCode),
    historyLength: row.eventCount,
    ...(payloads ? payloadsOf(snapshot) : {}),
  };
}

type Payloads = Pick<Instance, "input" | "output" | "customStatus" | "failure">;

function payloadsOf({ row, startRecord, endRecord }: Snapshot): Payloads {
  const started = startRecord?.event.eventType;
  const ended = endRecord?.event.eventType;
  return {
    ...(row.customStatus === undefined ? {} : { customStatus: row.customStatus }),
    ...(started?.case === "executionStarted" ? inputOf(started.value) : {}),
    ...(ended?.case === "executionCompleted" ? outcomeOf(ended.value) : {}),
  };
}

function inputOf(started: ExecutionStartedEvent): Payloads {
  return started.input === undefined ? {} : { input: started.input };
}

function outcomeOf({ result, failureDetails }: ExecutionCompletedEvent): Payloads {
  return {
    ...(result === undefined ? {} : { output: result }),
    ...(failureDetails === undefined ? {} : { failure: failureOf(failureDetails) }),
  };
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

function instant<K extends "startedAt" | "completedAt" | "startAt">(
  key: K,
  value: bigint,
): Pick<Instance, K> | object {
  return value === 0n ? {} : { [key]: Number(value) };
}

function text<K extends "version" | "stallReason" | "stallCode">(
  key: K,
  value: string,
): Pick<Instance, K> | object {
  return value === "" ? {} : { [key]: value };
}
