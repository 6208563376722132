// SPDX-License-Identifier: Apache-2.0

import { create, fromBinary } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import type { ActivityItem } from "@pawl/engine";
import {
  type ActivityTask,
  ActivityTaskSchema,
  type ByteWriter,
  encodeWith,
  openMessage,
  PropagatedHistorySchema,
  TraceContextSchema,
  writeInt32,
  writeText,
  writeWrapped,
} from "@pawl/protocol";
import {
  type ActivityRequest,
  ActivityRequestSchema,
  type WorkItem as WorkItemMessage,
  WorkItemSchema,
} from "@pawl/protocol/task-hub";

/** The work item of the sidecar service for an activity. */
export function toActivityWorkItem(item: ActivityItem): WorkItemMessage {
  const request: ActivityRequest = create(ActivityRequestSchema, {
    name: item.name,
    workflowInstance: { instanceId: item.instanceId },
    taskId: item.taskId,
    taskExecutionId: item.taskExecutionId,
  });
  if (item.version !== undefined) {
    request.version = item.version;
  }
  if (item.input !== undefined) {
    request.input = item.input;
  }
  const { traceParent, traceState } = item;
  if (traceParent !== undefined) {
    const value = traceState === undefined ? { traceParent } : { traceParent, traceState };
    request.parentTraceContext = create(TraceContextSchema, value);
  }
  if (item.propagated !== undefined) {
    request.propagatedHistory = fromBinary(PropagatedHistorySchema, item.propagated);
  }
  const message = create(WorkItemSchema, { completionToken: item.token });
  message.request = { case: "activityRequest", value: request };
  return message;
}

/** The same, encoded. */
export function encodeActivityWorkItem(item: ActivityItem): Uint8Array {
  return encodeWith(writeActivityWorkItem, item);
}

function writeActivityWorkItem(writer: ByteWriter, item: ActivityItem): void {
  openMessage(writer, 2);
  writeText(writer, 1, item.name);
  writeWrapped(writer, 2, item.version);
  writeWrapped(writer, 3, item.input);
  openMessage(writer, 4);
  writeText(writer, 1, item.instanceId);
  writer.join();
  writeInt32(writer, 5, item.taskId);
  if (item.traceParent !== undefined) {
    openMessage(writer, 6);
    writeText(writer, 1, item.traceParent);
    writeWrapped(writer, 3, item.traceState);
    writer.join();
  }
  writeText(writer, 7, item.taskExecutionId);
  if (item.propagated !== undefined) {
    writer.tag(8, WireType.LengthDelimited).bytes(item.propagated);
  }
  writer.join();
  writeText(writer, 10, item.token);
}

/** The message to Pawl's worker for an activity. */
export function toActivityTask(item: ActivityItem): ActivityTask {
  const message = create(ActivityTaskSchema, {
    instanceId: item.instanceId,
    executionId: item.executionId,
    taskId: item.taskId,
    activity: item.name,
    token: item.token,
    taskExecutionId: item.taskExecutionId,
    traceParent: item.traceParent ?? "",
    traceState: item.traceState ?? "",
  });
  if (item.input !== undefined) {
    message.input = item.input;
  }
  return message;
}
