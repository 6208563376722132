// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import type { ErrorCode } from "@pawl/protocol";
import type {
  Batch,
  BatchAction,
  BatchCommand,
  BatchError,
  BatchStatus,
  Condition,
  InstanceFilter,
  InstanceStatus,
} from "@pawl/protocol/port";
import {
  type BatchFailure,
  type BatchRequest,
  BatchRequestSchema,
  type BatchRow,
  StoredBatchAction,
  StoredBatchStatus,
  type StoredFilter,
} from "@pawl/protocol/store";
import { statusOfStored, storedStatusOf } from "../../store/codec.js";
import { damaged } from "../../store/damaged.js";
import { parseCondition } from "../read/query/condition-check.js";

const storedActions: Record<BatchAction, StoredBatchAction> = {
  terminate: StoredBatchAction.TERMINATE,
  suspend: StoredBatchAction.SUSPEND,
  resume: StoredBatchAction.RESUME,
  purge: StoredBatchAction.PURGE,
  rerun: StoredBatchAction.RERUN,
};

const storedStatuses: Record<BatchStatus, StoredBatchStatus> = {
  matching: StoredBatchStatus.MATCHING,
  running: StoredBatchStatus.RUNNING,
  completed: StoredBatchStatus.COMPLETED,
  cancelled: StoredBatchStatus.CANCELLED,
  failed: StoredBatchStatus.FAILED,
};

/** What a command asks for, as it is stored. `statuses`: those that are meant. */
export function requestOf(
  command: BatchCommand,
  statuses: readonly InstanceStatus[],
): BatchRequest {
  const { workflow, instanceIdPrefix, parentInstanceId, tags, tagPrefixes, ...rest } =
    command.filter;
  const { createdFrom, createdBefore, updatedFrom, updatedBefore, where } = rest;
  return create(BatchRequestSchema, {
    action: storedActions[command.action],
    filter: {
      statuses: statuses.map(storedStatusOf).sort(),
      workflow: workflow ?? "",
      instanceIdPrefix: instanceIdPrefix ?? "",
      parentInstanceId: parentInstanceId ?? "",
      tags: { ...tags },
      tagPrefixes: { ...tagPrefixes },
      ...(createdFrom === undefined ? {} : { createdFrom }),
      ...(createdBefore === undefined ? {} : { createdBefore }),
      ...(updatedFrom === undefined ? {} : { updatedFrom }),
      ...(updatedBefore === undefined ? {} : { updatedBefore }),
      ...(where === undefined ? {} : { where: JSON.stringify(parseCondition(where)) }),
    },
    ...(command.reason ? { reason: command.reason } : {}),
    ...(command.output === undefined ? {} : { output: command.output }),
    recursive: command.recursive ?? true,
    force: command.force ?? false,
    eventId: command.eventId ?? 0,
  });
}

/** What a row's batch does. @throws INSTANCE_DAMAGED */
export function actionOf({ request }: BatchRow): BatchAction {
  return requireName(storedActions, request?.action, "action");
}

/** What a row's batch is doing. @throws INSTANCE_DAMAGED */
function batchStatusOf(row: BatchRow): BatchStatus {
  return requireName(storedStatuses, row.status, "status");
}

/** True when a row's batch has ended. */
export function isEnded({ status }: BatchRow): boolean {
  return status !== StoredBatchStatus.MATCHING && status !== StoredBatchStatus.RUNNING;
}

/** The filter of a row's batch. */
export function filterOf({ request }: BatchRow): InstanceFilter {
  return request?.filter === undefined ? {} : toFilter(request.filter);
}

function toFilter(stored: StoredFilter): InstanceFilter {
  const { workflow, instanceIdPrefix, parentInstanceId, tags, tagPrefixes } = stored;
  const { createdFrom, createdBefore, updatedFrom, updatedBefore } = stored;
  const statuses = stored.statuses.flatMap((status) => statusOfStored.get(status) ?? []);
  return {
    ...(statuses.length === 0 ? {} : { statuses }),
    ...(workflow === "" ? {} : { workflow }),
    ...(instanceIdPrefix === "" ? {} : { instanceIdPrefix }),
    ...(parentInstanceId === "" ? {} : { parentInstanceId }),
    ...(createdFrom === undefined ? {} : { createdFrom }),
    ...(createdBefore === undefined ? {} : { createdBefore }),
    ...(updatedFrom === undefined ? {} : { updatedFrom }),
    ...(updatedBefore === undefined ? {} : { updatedBefore }),
    ...(Object.keys(tags).length === 0 ? {} : { tags }),
    ...(Object.keys(tagPrefixes).length === 0 ? {} : { tagPrefixes }),
    ...(stored.where === "" ? {} : { where: readCondition(stored.where) }),
  };
}

/** @throws INSTANCE_DAMAGED */
function readCondition(text: string): Condition {
  try {
    return parseCondition(JSON.parse(text));
  } catch (cause) {
    throw damaged("the condition of a batch cannot be read", cause);
  }
}

/** A batch as callers see it. */
export function batchOf(batchId: string, row: BatchRow): Batch {
  return {
    batchId,
    action: actionOf(row),
    filter: filterOf(row),
    status: batchStatusOf(row),
    createdAt: Number(row.createdAt),
    ...(row.completedAt === 0n ? {} : { completedAt: Number(row.completedAt) }),
    matchedCount: row.matchedCount,
    doneCount: row.doneCount,
    failedCount: row.failedCount,
    purgedCount: row.purgedCount,
    errors: row.failures.map(toError),
  };
}

function toError({ instanceId, code, message }: BatchFailure): BatchError {
  // Only codes of errors that the engine threw are written.
  return { instanceId, code: code as ErrorCode, message };
}

function requireName<K extends string, V>(
  names: Readonly<Record<K, V>>,
  value: V | undefined,
  what: string,
): K {
  const name = (Object.keys(names) as K[]).find((key) => names[key] === value);
  if (name === undefined) throw damaged(`a batch has the ${what} ${value}, which is unknown`);
  return name;
}
