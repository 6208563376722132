// SPDX-License-Identifier: Apache-2.0

import { InstanceStatus as StatusNumber } from "../gen/pawl/v1/instance_pb.js";
import type { InstanceStatus } from "../port/management.js";

/** A status as messages have it. */
export const statusNumbers = {
  pending: StatusNumber.PENDING,
  running: StatusNumber.RUNNING,
  suspended: StatusNumber.SUSPENDED,
  stalled: StatusNumber.STALLED,
  completed: StatusNumber.COMPLETED,
  failed: StatusNumber.FAILED,
  terminated: StatusNumber.TERMINATED,
} as const satisfies Record<InstanceStatus, StatusNumber>;

/** Every status there is. */
export const instanceStatuses: readonly InstanceStatus[] = Object.keys(
  statusNumbers,
) as InstanceStatus[];

const names: ReadonlyMap<StatusNumber, InstanceStatus> = new Map(
  instanceStatuses.map((name) => [statusNumbers[name], name]),
);

/** The status that a number means; undefined for "unspecified" and for what is not known. */
export function statusOf(number: StatusNumber): InstanceStatus | undefined {
  return names.get(number);
}
