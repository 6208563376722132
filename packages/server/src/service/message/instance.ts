// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import type { Instance } from "@pawl/engine";
import {
  type Instance as InstanceMessage,
  InstanceSchema,
  StallCode,
  toNearestTimestamp,
  toTimestamp,
} from "@pawl/protocol";
import { statusNumbers } from "@pawl/protocol/message";
import { toFailureMessage } from "./failure.js";

/** Turns an instance into pawl.v1's form. */
export function toInstanceMessage(instance: Instance): InstanceMessage {
  const message = create(InstanceSchema, {
    instanceId: instance.instanceId,
    workflow: instance.workflow,
    status: statusNumbers[instance.status],
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
    message.startAt = toNearestTimestamp(startAt);
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
