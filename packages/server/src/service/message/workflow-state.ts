// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import type { Instance, InstanceStatus } from "@pawl/engine";
import {
  OrchestrationStatus,
  toNearestTimestamp,
  toTimestamp,
  type WorkflowState,
  WorkflowStateSchema,
} from "@pawl/protocol";
import { isUnread, noTime } from "../../dapr/instance.js";
import { toFailureDetails } from "./failure.js";

const statuses = {
  pending: OrchestrationStatus.PENDING,
  running: OrchestrationStatus.RUNNING,
  suspended: OrchestrationStatus.SUSPENDED,
  stalled: OrchestrationStatus.STALLED,
  completed: OrchestrationStatus.COMPLETED,
  failed: OrchestrationStatus.FAILED,
  terminated: OrchestrationStatus.TERMINATED,
} satisfies Record<InstanceStatus, OrchestrationStatus>;

/**
 * Turns an instance into Durable Task's form. Payloads are there when the instance has them. `strict`:
 * without what Dapr does not fill (docs/rest.md), which is all of `addMore`, and of an instance that
 * no turn has run for nothing but its id and status: Dapr reads the rest from the history, which is empty.
 */
export function toWorkflowState(instance: Instance, strict: boolean): WorkflowState {
  if (strict && isUnread(instance)) {
    const { instanceId, status, updatedAt } = instance;
    return create(WorkflowStateSchema, {
      instanceId,
      workflowStatus: statuses[status],
      createdTimestamp: noTime,
      lastUpdatedTimestamp: status === "pending" ? noTime : toTimestamp(updatedAt),
    });
  }
  const state = create(WorkflowStateSchema, {
    instanceId: instance.instanceId,
    name: instance.workflow,
    workflowStatus: statuses[instance.status],
    createdTimestamp: toTimestamp(instance.createdAt),
    lastUpdatedTimestamp: toTimestamp(instance.updatedAt),
  });
  if (!strict) {
    addMore(state, instance);
  }
  const { version, input, output, customStatus, failure, parentInstanceId, startedAt } = instance;
  if (version !== undefined) {
    state.version = version;
  }
  if (input !== undefined) {
    state.input = input;
  }
  if (output !== undefined) {
    state.output = output;
  }
  if (customStatus !== undefined) {
    state.customStatus = customStatus;
  }
  if (failure !== undefined) {
    state.failureDetails = toFailureDetails(failure);
  }
  if (parentInstanceId !== undefined) {
    state.parentInstanceId = parentInstanceId;
  }
  if (startedAt !== undefined) {
    state.startedAt = toTimestamp(startedAt);
  }
  return state;
}

function addMore(state: WorkflowState, instance: Instance): void {
  const { executionId, tags, startAt, completedAt } = instance;
  state.executionId = executionId;
  state.tags = { ...tags };
  if (startAt !== undefined) {
    state.scheduledStartTimestamp = toNearestTimestamp(startAt);
  }
  if (completedAt !== undefined) {
    state.completedTimestamp = toTimestamp(completedAt);
  }
}
