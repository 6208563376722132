// SPDX-License-Identifier: Apache-2.0

import { type DaprInstance, shownStatus } from "../dapr/instance.js";

/** What Dapr shows as the times of an instance that no turn has run for. */
const noTime = "0001-01-01T00:00:00Z";

/**
 * An instance as protobuf's JSON of `GetWorkflowResponse`: unset fields are left out. `strict`
 * hides what Dapr does not know: the facts of a pending instance and that an instance is stalled.
 */
export function toInstanceJson(instance: DaprInstance, strict: boolean): Record<string, unknown> {
  const { instanceId: instanceID, workflowName, properties, runtimeStatus } = instance;
  if (strict && runtimeStatus === "PENDING") {
    return { instanceID, createdAt: noTime, lastUpdatedAt: noTime, runtimeStatus };
  }
  return {
    instanceID,
    ...(workflowName === "" ? {} : { workflowName }),
    createdAt: toTimeText(instance.createdAt),
    lastUpdatedAt: toTimeText(instance.lastUpdatedAt),
    runtimeStatus: shownStatus(instance, strict),
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
  };
}

/** The last instant that a date can have (ECMAScript, "Time Values"). */
const lastDate = 8.64e15;

/** RFC 3339 in UTC with 0 or 3 fractional digits. */
export function toTimeText(at: number): string {
  return new Date(Math.min(at, lastDate)).toISOString().replace(".000Z", "Z");
}
