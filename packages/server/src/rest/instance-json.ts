// SPDX-License-Identifier: Apache-2.0

import type { DaprInstance } from "../dapr/instance.js";

/** An instance as protobuf's JSON of `GetWorkflowResponse`: unset fields are left out. */
export function toInstanceJson(instance: DaprInstance): Record<string, unknown> {
  const { instanceId: instanceID, workflowName, properties, runtimeStatus } = instance;
  return {
    instanceID,
    ...(workflowName === "" ? {} : { workflowName }),
    createdAt: toTimeText(instance.createdAt),
    lastUpdatedAt: toTimeText(instance.lastUpdatedAt),
    runtimeStatus,
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
  };
}

/** The last instant that RFC 3339 can say: its years have four digits. */
const lastDate = 253_402_300_799_999;

/** RFC 3339 in UTC with 0 or 3 fractional digits; of no instant, Dapr's for that. */
export function toTimeText(at: number | undefined): string {
  if (at === undefined) return "0001-01-01T00:00:00Z";
  return new Date(Math.min(at, lastDate)).toISOString().replace(".000Z", "Z");
}
