// SPDX-License-Identifier: Apache-2.0

import { createClient as createRpcClient, type Transport } from "@connectrpc/connect";
import {
  BatchAction as ActionNumber,
  type Batch as BatchMessage,
  BatchService,
  fromTimestamp,
  BatchStatus as StatusNumber,
} from "@pawl/protocol";
import { fromFilterMessage, toFilterMessage } from "@pawl/protocol/message";
import { PawlError } from "../errors.js";
import type { Batch, BatchAction, BatchPort } from "../port.js";
import { asked, toPawlError } from "./rpc-error.js";

const actionNumbers = {
  terminate: ActionNumber.TERMINATE,
  suspend: ActionNumber.SUSPEND,
  resume: ActionNumber.RESUME,
  purge: ActionNumber.PURGE,
  rerun: ActionNumber.RERUN,
} as const satisfies Record<BatchAction, ActionNumber>;

const actionNames: Readonly<Record<ActionNumber, BatchAction | undefined>> = {
  [ActionNumber.UNSPECIFIED]: undefined,
  [ActionNumber.TERMINATE]: "terminate",
  [ActionNumber.SUSPEND]: "suspend",
  [ActionNumber.RESUME]: "resume",
  [ActionNumber.PURGE]: "purge",
  [ActionNumber.RERUN]: "rerun",
};

const statusNames: Readonly<Record<StatusNumber, Batch["status"]>> = {
  [StatusNumber.UNSPECIFIED]: "matching",
  [StatusNumber.MATCHING]: "matching",
  [StatusNumber.RUNNING]: "running",
  [StatusNumber.COMPLETED]: "completed",
  [StatusNumber.CANCELLED]: "cancelled",
  [StatusNumber.FAILED]: "failed",
};

/** The batch port of a server, over BatchService. Rejects with `PawlError`. */
export function createRemoteBatches(transport: Transport): BatchPort {
  const service = createRpcClient(BatchService, transport);
  return {
    async startBatch({ action, filter, ...rest }) {
      const request = { ...rest, action: actionNumbers[action], filter: toFilterMessage(filter) };
      return requireBatch(await asked(service.startBatch(request)));
    },
    async getBatch(batchId) {
      try {
        return requireBatch(await asked(service.getBatch({ batchId })));
      } catch (error) {
        if (toPawlError(error).code === "BATCH_NOT_FOUND") return undefined;
        throw error;
      }
    },
    async waitForBatch(batchId, { signal } = {}) {
      const request = { batchId, waitForEnd: true };
      return requireBatch(
        await asked(service.getBatch(request, signal === undefined ? {} : { signal })),
      );
    },
    async listBatches() {
      return (await asked(service.listBatches({}))).batches.map(toBatch);
    },
    async cancelBatch(batchId) {
      return requireBatch(await asked(service.cancelBatch({ batchId })));
    },
  };
}

function requireBatch(answer: { readonly batch?: BatchMessage | undefined }): Batch {
  if (answer.batch === undefined) throw toPawlError(new Error("an answer has no batch"));
  return toBatch(answer.batch);
}

function toBatch(message: BatchMessage): Batch {
  const { batchId, filter, createdAt, completedAt, errors } = message;
  const action = actionNames[message.action];
  if (action === undefined) throw toPawlError(new Error("a batch has an unknown action"));
  return {
    batchId,
    action,
    filter: filter === undefined ? {} : fromFilterMessage(filter, refuse),
    status: statusNames[message.status],
    createdAt: createdAt === undefined ? 0 : fromTimestamp(createdAt),
    ...(completedAt === undefined ? {} : { completedAt: fromTimestamp(completedAt) }),
    matchedCount: message.matchedCount,
    doneCount: message.doneCount,
    failedCount: message.failedCount,
    purgedCount: message.purgedCount,
    errors: errors.map(({ instanceId, code, message: text }) => {
      return { instanceId, code, message: text };
    }),
  };
}

function refuse(what: string): never {
  throw new PawlError("INTERNAL", `${what} in the server's answer is not known to this client`);
}
