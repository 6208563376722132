// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import type { Instance, InstanceStatus } from "@pawl/engine";

/** Dapr's words for what an instance is doing, and one for a stall, for which it has none. */
const statusNames = {
  pending: "PENDING",
  running: "RUNNING",
  suspended: "SUSPENDED",
  stalled: "STALLED",
  completed: "COMPLETED",
  failed: "FAILED",
  terminated: "TERMINATED",
} satisfies Record<InstanceStatus, string>;

/** What Dapr shows as the times of an instance that no turn has run for: the first second of year 1. */
export const noTime = create(TimestampSchema, { seconds: -62_135_596_800n });

/** An instance as Dapr's REST API and its `GetWorkflow` show it. */
export interface DaprInstance {
  readonly instanceId: string;
  readonly workflowName: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Milliseconds since 1970. */
  readonly lastUpdatedAt: number;
  readonly runtimeStatus: string;
  /** Payloads under `dapr.workflow.…` keys; values verbatim. */
  readonly properties: Record<string, string>;
}

/** Turns an instance into Dapr's form. */
export function toDaprInstance(instance: Instance): DaprInstance {
  return {
    instanceId: instance.instanceId,
    workflowName: instance.workflow,
    createdAt: instance.createdAt,
    lastUpdatedAt: instance.updatedAt,
    runtimeStatus: statusNames[instance.status],
    properties: properties(instance),
  };
}

/** A status as it is shown. `strict`: a stall is unknown, as it is to Dapr. */
export function shownStatus({ runtimeStatus }: DaprInstance, strict: boolean): string {
  return strict && runtimeStatus === statusNames.stalled ? "UNKNOWN" : runtimeStatus;
}

function properties(instance: Instance): Record<string, string> {
  const { input, output, customStatus, failure } = instance;
  const result: Record<string, string> = {};
  if (input !== undefined) {
    result["dapr.workflow.input"] = input;
  }
  if (customStatus !== undefined) {
    result["dapr.workflow.custom_status"] = customStatus;
  }
  if (output !== undefined && failure === undefined) {
    result["dapr.workflow.output"] = output;
  }
  if (failure !== undefined) {
    result["dapr.workflow.failure.error_type"] = failure.type;
    result["dapr.workflow.failure.error_message"] = failure.message;
    if (failure.stackTrace !== undefined) {
      result["dapr.workflow.failure.stack_trace"] = failure.stackTrace;
    }
  }
  return result;
}
