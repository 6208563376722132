// SPDX-License-Identifier: Apache-2.0

import { type Batch, type BatchPort, EngineError, type InstanceFilter } from "@pawl/engine";
import type { Operation } from "../operation.js";
import { currentAccess } from "./access-context.js";
import type { Policy } from "./policy.js";

/**
 * Batches as a policy lets a caller have them. A batch does in one go what its command does one by
 * one: who starts it must be allowed the command on the workflow of its filter, and on every
 * workflow where the filter names none. A batch of others is, to a caller, one that does not exist.
 */
export function guardBatches(engine: BatchPort, policy: () => Policy): BatchPort {
  const may = (filter: InstanceFilter, action?: Operation): boolean => {
    const access = currentAccess();
    const operation = action ?? access?.operation;
    if (access === undefined || operation === undefined) return false;
    return filter.workflow
      ? policy().allows(access.caller, operation, filter.workflow)
      : policy().allowsEvery(access.caller, operation);
  };
  const requireVisible = async (batchId: string): Promise<void> => {
    const batch = await engine.getBatch(batchId);
    if (batch === undefined || !may(batch.filter)) throw notFound(batchId);
  };
  return {
    async startBatch(command) {
      if (!may(command.filter, command.action)) throw denied(command.filter, command.action);
      return engine.startBatch(command);
    },
    async getBatch(batchId) {
      const batch = await engine.getBatch(batchId);
      return batch !== undefined && may(batch.filter) ? batch : undefined;
    },
    async waitForBatch(batchId, options) {
      await requireVisible(batchId);
      return engine.waitForBatch(batchId, options);
    },
    async listBatches(): Promise<Batch[]> {
      return (await engine.listBatches()).filter(({ filter }) => may(filter));
    },
    async cancelBatch(batchId) {
      await requireVisible(batchId);
      return engine.cancelBatch(batchId);
    },
  };
}

function denied({ workflow }: InstanceFilter, action: Operation): EngineError {
  if (workflow) {
    return new EngineError("WORKFLOW_NOT_FOUND", `no workflow has the name "${workflow}"`, {
      details: { workflow },
    });
  }
  return new EngineError(
    "PERMISSION_DENIED",
    `the policy does not allow "${action}" on every workflow: name a workflow in the filter`,
  );
}

function notFound(batchId: string): EngineError {
  return new EngineError("BATCH_NOT_FOUND", `no batch has the id "${batchId}"`, {
    details: { batchId },
  });
}
