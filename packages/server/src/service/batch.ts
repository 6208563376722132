// SPDX-License-Identifier: Apache-2.0

import { isMessage, type MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type Batch,
  type BatchAction,
  type BatchPort,
  type BatchStatus,
  EngineError,
} from "@pawl/engine";
import {
  BatchAction as ActionMessage,
  type BatchSchema,
  type BatchService,
  InstanceStatus,
  type StartBatchRequest,
  BatchStatus as StatusMessage,
  toTimestamp,
} from "@pawl/protocol";
import { toFilterMessage } from "@pawl/protocol/message";
import { toFilter } from "./message/query.js";

const actions = {
  terminate: ActionMessage.TERMINATE,
  suspend: ActionMessage.SUSPEND,
  resume: ActionMessage.RESUME,
  purge: ActionMessage.PURGE,
  rerun: ActionMessage.RERUN,
} as const satisfies Record<BatchAction, ActionMessage>;

const statuses: Readonly<Record<BatchStatus, StatusMessage>> = {
  matching: StatusMessage.MATCHING,
  running: StatusMessage.RUNNING,
  completed: StatusMessage.COMPLETED,
  cancelled: StatusMessage.CANCELLED,
  failed: StatusMessage.FAILED,
};

/** `pawl.v1.BatchService`: each method is one call of the batch port. */
export function createBatchService(engine: BatchPort): ServiceImpl<typeof BatchService> {
  return {
    async startBatch(request) {
      return { batch: toMessage(await startBatch(engine, request)) };
    },
    async getBatch({ batchId, waitForEnd }, { signal }) {
      const batch = waitForEnd
        ? await engine.waitForBatch(batchId, { signal })
        : await engine.getBatch(batchId);
      if (batch === undefined) {
        throw new EngineError("BATCH_NOT_FOUND", `no batch has the id "${batchId}"`, {
          details: { batchId },
        });
      }
      return { batch: toMessage(batch) };
    },
    async listBatches() {
      return { batches: (await engine.listBatches()).map(toMessage) };
    },
    async cancelBatch({ batchId }) {
      return { batch: toMessage(await engine.cancelBatch(batchId)) };
    },
  };
}

function startBatch(engine: BatchPort, request: StartBatchRequest): Promise<Batch> {
  requireKnown(request);
  if (request.filter?.statuses.includes(InstanceStatus.UNSPECIFIED)) {
    throw new EngineError("INVALID_ARGUMENT", "a status of the filter is not specified", {
      details: { field: "statuses" },
    });
  }
  const { filter, allInstances, batchId, reason, output, recursive, force } = request;
  return engine.startBatch({
    action: toAction(request.action),
    filter: filter === undefined ? {} : toFilter(filter),
    allInstances,
    force,
    eventId: request.eventId,
    ...(batchId === "" ? {} : { batchId }),
    ...(reason === undefined ? {} : { reason }),
    ...(output === undefined ? {} : { output }),
    ...(recursive === undefined ? {} : { recursive }),
  });
}

/** A field of a later version may be a condition: without it more instances would be meant. */
function requireKnown(request: StartBatchRequest): void {
  const unknown = unknownFields(request);
  if (unknown.length === 0) return;
  throw new EngineError(
    "INVALID_ARGUMENT",
    `the request has fields that this server does not know: ${unknown.join(", ")}`,
  );
}

/** Those of a message and of all within it, as in "pawl.v1.InstanceFilter 99". */
function unknownFields(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const own = isMessage(value)
    ? (value.$unknown ?? []).map(({ no }) => `${value.$typeName} ${no}`)
    : [];
  const { $unknown: _own, ...rest }: { $unknown?: unknown } = value;
  return [...own, ...Object.values(rest).flatMap(unknownFields)];
}

function toAction(message: ActionMessage): BatchAction {
  const names: readonly BatchAction[] = ["terminate", "suspend", "resume", "purge", "rerun"];
  const action = names.find((name) => actions[name] === message);
  if (action !== undefined) return action;
  throw new EngineError("INVALID_ARGUMENT", "the action is missing, or not known", {
    details: { field: "action" },
  });
}

function toMessage(batch: Batch): MessageInitShape<typeof BatchSchema> {
  const { action, filter, status, createdAt, completedAt, errors, ...rest } = batch;
  return {
    ...rest,
    action: actions[action],
    filter: toFilterMessage(filter),
    status: statuses[status],
    createdAt: toTimestamp(createdAt),
    ...(completedAt === undefined ? {} : { completedAt: toTimestamp(completedAt) }),
    errors: errors.map((error) => ({ ...error })),
  };
}
