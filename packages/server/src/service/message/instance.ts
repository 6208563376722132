// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import type { Instance, InstanceStatus } from "@pawl/engine";
import {
  type Instance as InstanceMessage,
  InstanceSchema,
  StallCode,
  InstanceStatus as StatusMessage,
  toTimestamp,
} from "@pawl/protocol";
import { toFailureMessage } from "./failure.js";

/** A status as a message has it. */
export const toStatus = {
  pending: StatusMessage.PENDING,
  running: StatusMessage.RUNNING,
  suspended: StatusMessage.SUSPENDED,
  stalled: StatusMessage.STALLED,
  completed: StatusMessage.COMPLETED,
  failed: StatusMessage.FAILED,
  terminated: StatusMessage.TERMINATED,
} satisfies Record<InstanceStatus, StatusMessage>;

/** The statuses that messages mean; "unspecified" is none. */
export const fromStatus: ReadonlyMap<StatusMessage, InstanceStatus> = new Map<
  StatusMessage,
  InstanceStatus
>(Object.entries(toStatus).map(([status, message]) => [message, status as InstanceStatus]));

/** Turns an instance into pawl.v1's form. */
export function toInstanceMessage(instance: Instance): InstanceMessage {
  const message = create(InstanceSchema, {
    instanceId: instance.instanceId,
    workflow: instance.workflow,
    status: toStatus[instance.status],
    createdAt: toTimestamp(instance.createdAt),
    updatedAt: toTimestamp(instance.updatedAt),
    executionId: instance.executionId,
    parentInstanceId: instance.parentInstanceId ?? "",
    tags: { ...instance.tags },
    generation: instance.generation,
    version: instance.version ?? "",
    stallReason: instance.stallReason ?? "",
    stallCode: instance.stallCode === undefined ? 0 : StallCode[instance.stallCode],
    historyLength: instance.historyLength,
  });
  const { startedAt, completedAt, startAt, input, output, customStatus, failure } = instance;
  if (startedAt !== undefined) {
    message.startedAt = toTimestamp(startedAt);
  }
  if (completedAt !== undefined) {
    message.completedAt = toTimestamp(completedAt);
  }
  if (startAt !== undefined) {
    message.startAt = toTimestamp(startAt);
  }
  if (input !== undefined) {
    message.input = input;
  }
  if (output !== undefined) {
    message.output = output;
  }
  if (customStatus !== undefined) {
    message.customStatus = customStatus;
  }
  if (failure !== undefined) {
    message.failure = toFailureMessage(failure);
  }
  return message;
}

/** The statuses of a filter; "unspecified" among them means any, and so no filter. */
export function toStatuses(messages: readonly StatusMessage[]): InstanceStatus[] {
  const statuses: InstanceStatus[] = [];
  for (const message of messages) {
    const status = fromStatus.get(message);
    if (status === undefined) {
      return [];
    }
    statuses.push(status);
  }
  return statuses;
}
