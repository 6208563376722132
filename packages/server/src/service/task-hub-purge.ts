// SPDX-License-Identifier: Apache-2.0

import {
  EngineError,
  type InstanceFilter,
  type InstanceStatus,
  type ManagementPort,
  type WorkerPort,
} from "@pawl/engine";
import { fromTimestamp, OrchestrationStatus } from "@pawl/protocol";
import type { PurgeInstanceFilter, PurgeInstancesRequest } from "@pawl/protocol/task-hub";
import type { CallRules, WaitingCaller } from "../dapr/call-rules.js";
import { StrictRefusal } from "../dapr/strict-refusal.js";
import { inDaprWords } from "./task-hub-error.js";

const statusNames = new Map<OrchestrationStatus, InstanceStatus>([
  [OrchestrationStatus.PENDING, "pending"],
  [OrchestrationStatus.RUNNING, "running"],
  [OrchestrationStatus.SUSPENDED, "suspended"],
  [OrchestrationStatus.STALLED, "stalled"],
  [OrchestrationStatus.COMPLETED, "completed"],
  [OrchestrationStatus.FAILED, "failed"],
  [OrchestrationStatus.TERMINATED, "terminated"],
]);

/** How purges are carried out. */
export interface PurgeOptions {
  readonly caller: WaitingCaller;
  readonly rules: CallRules;
  readonly strict: boolean;
}

/**
 * Purges one instance, or all that a filter lets through. An unknown instance is a purge of none:
 * SDKs read the count. A purge by filter is a batch, which goes on when its caller has gone; what
 * cannot be purged makes the answer incomplete. `strict`: an unknown instance is an error, and there is
 * no purge by filter.
 */
export async function purgeInstances(
  engine: ManagementPort & WorkerPort,
  request: PurgeInstancesRequest,
  { caller, rules, strict }: PurgeOptions,
): Promise<{ deletedInstanceCount: number; isComplete?: boolean }> {
  const { request: target, recursive, force = false } = request;
  if (target.case === "purgeInstanceFilter" && strict) {
    throw StrictRefusal.plain("multi-instance purge is not implemented");
  }
  if (target.case === "purgeInstanceFilter") {
    const { statuses, ...times } = toFilter(target.value);
    // No instance is ever cancelled, say: that is not to mean all of them.
    if (statuses.length === 0 && target.value.runtimeStatus.length > 0) {
      return { deletedInstanceCount: 0, isComplete: true };
    }
    const command = { action: "purge", allInstances: true, recursive, force } as const;
    const filter = statuses.length === 0 ? times : { ...times, statuses };
    const batch = await inDaprWords("", async () => {
      const { batchId } = await engine.startBatch({ ...command, filter });
      return engine.waitForBatch(batchId, { signal: caller.signal });
    });
    const { purgedCount, failedCount } = batch;
    return { deletedInstanceCount: purgedCount, isComplete: failedCount === 0 };
  }
  if (target.case === undefined) {
    throw new EngineError("INVALID_ARGUMENT", "the instance, or the filter, is missing");
  }
  const instanceId = target.value;
  if (!strict && (await engine.get(instanceId, { payloads: false })) === undefined) {
    return { deletedInstanceCount: 0 };
  }
  const run = () => engine.purge(instanceId, { recursive, force });
  // By force Dapr deletes the state itself, past its engine.
  const purge = () =>
    force ? run() : rules.command({ engine, caller, unstalled: instanceId }, run);
  const deletedInstanceCount = await inDaprWords("failed to purge workflow state: ", purge, {
    strict,
  });
  return { deletedInstanceCount };
}

/** Both ends of the filter's range of creation are inclusive. */
function toFilter(
  filter: PurgeInstanceFilter,
): InstanceFilter & { readonly statuses: readonly InstanceStatus[] } {
  const { createdTimeFrom, createdTimeTo, runtimeStatus } = filter;
  return {
    statuses: runtimeStatus.flatMap((status) => statusNames.get(status) ?? []),
    ...(createdTimeFrom === undefined ? {} : { createdFrom: fromTimestamp(createdTimeFrom) }),
    ...(createdTimeTo === undefined ? {} : { createdBefore: fromTimestamp(createdTimeTo) + 1 }),
  };
}
