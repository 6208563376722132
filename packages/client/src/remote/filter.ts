// SPDX-License-Identifier: Apache-2.0

import {
  type InstanceFilter as FilterMessage,
  fromTimestamp,
  InstanceStatus as StatusNumber,
  toTimestamp,
} from "@pawl/protocol";
import type { InstanceFilter, InstanceStatus } from "../port.js";

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

/** A filter as a message. */
export function toFilterMessage(filter: InstanceFilter) {
  const { statuses = [], tags = {}, tagPrefixes = {}, ...rest } = filter;
  const { createdFrom, createdBefore, updatedFrom, updatedBefore, ...texts } = rest;
  return {
    ...texts,
    statuses: statuses.map((status) => statusNumbers[status]),
    tags: { ...tags },
    tagPrefixes: { ...tagPrefixes },
    ...(createdFrom === undefined ? {} : { createdFrom: toTimestamp(createdFrom) }),
    ...(createdBefore === undefined ? {} : { createdBefore: toTimestamp(createdBefore) }),
    ...(updatedFrom === undefined ? {} : { updatedFrom: toTimestamp(updatedFrom) }),
    ...(updatedBefore === undefined ? {} : { updatedBefore: toTimestamp(updatedBefore) }),
  };
}

/** The filter that a message means. */
export function fromFilterMessage(message: FilterMessage): InstanceFilter {
  const { workflow, instanceIdPrefix, parentInstanceId, tags, tagPrefixes } = message;
  const { createdFrom, createdBefore, updatedFrom, updatedBefore } = message;
  return {
    statuses: message.statuses.map((status) => statusNames[status]),
    ...(workflow === "" ? {} : { workflow }),
    ...(instanceIdPrefix === "" ? {} : { instanceIdPrefix }),
    ...(parentInstanceId === "" ? {} : { parentInstanceId }),
    ...(createdFrom === undefined ? {} : { createdFrom: fromTimestamp(createdFrom) }),
    ...(createdBefore === undefined ? {} : { createdBefore: fromTimestamp(createdBefore) }),
    ...(updatedFrom === undefined ? {} : { updatedFrom: fromTimestamp(updatedFrom) }),
    ...(updatedBefore === undefined ? {} : { updatedBefore: fromTimestamp(updatedBefore) }),
    ...(Object.keys(tags).length === 0 ? {} : { tags }),
    ...(Object.keys(tagPrefixes).length === 0 ? {} : { tagPrefixes }),
  };
}
