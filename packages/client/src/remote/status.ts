// SPDX-License-Identifier: Apache-2.0

import { InstanceStatus as StatusNumber } from "@pawl/protocol";
import type { InstanceStatus } from "../port.js";

/** A status as messages have it. */
export const statusNumbers: Readonly<Record<InstanceStatus, StatusNumber>> = {
  pending: StatusNumber.PENDING,
  running: StatusNumber.RUNNING,
  suspended: StatusNumber.SUSPENDED,
  stalled: StatusNumber.STALLED,
  completed: StatusNumber.COMPLETED,
  failed: StatusNumber.FAILED,
  terminated: StatusNumber.TERMINATED,
};

/** The status that a number means. */
export const statusNames: Readonly<Record<StatusNumber, InstanceStatus>> = {
  [StatusNumber.UNSPECIFIED]: "pending",
  [StatusNumber.PENDING]: "pending",
  [StatusNumber.RUNNING]: "running",
  [StatusNumber.SUSPENDED]: "suspended",
  [StatusNumber.STALLED]: "stalled",
  [StatusNumber.COMPLETED]: "completed",
  [StatusNumber.FAILED]: "failed",
  [StatusNumber.TERMINATED]: "terminated",
};
