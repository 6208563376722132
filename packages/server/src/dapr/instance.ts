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
  /** Milliseconds since 1970. Undefined: not known, which Dapr shows as `noTime`. */
  readonly createdAt: number | undefined;
  /** The same. */
  readonly lastUpdatedAt: number | undefined;
  readonly runtimeStatus: string;
  /** Payloads under `dapr.workflow.…` keys; values verbatim. */
  readonly properties: Record<string, string>;
}

/**
 * Whether Dapr knows nothing of an instance but its id and status: it reads all else from the history, in
 * which there is no turn yet.
 */
export function isUnread({ status, startedAt }: Instance): boolean {
  return status === "pending" || (status === "stalled" && startedAt === undefined);
}

/** Turns an instance into Dapr's form. `strict`: without what Dapr does not know, such as what a stall is. */
export function toDaprInstance(instance: Instance, strict: boolean): DaprInstance {
  const { instanceId, status } = instance;
  const runtimeStatus = strict && status === "stalled" ? "UNKNOWN" : statusNames[status];
  const lastUpdatedAt = strict && status === "pending" ? undefined : instance.updatedAt;
  const known =
    strict && isUnread(instance)
      ? { workflowName: "", createdAt: undefined, properties: {} }
      : {
          workflowName: instance.workflow,
          createdAt: instance.createdAt,
          properties: properties(instance),
        };
  return { instanceId, runtimeStatus, lastUpdatedAt, ...known };
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
