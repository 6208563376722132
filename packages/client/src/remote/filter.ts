// SPDX-License-Identifier: Apache-2.0

import { type InstanceFilter as FilterMessage, fromTimestamp, toTimestamp } from "@pawl/protocol";
import type { InstanceFilter } from "../port.js";
import { fromConditionMessage, toConditionMessage } from "./condition.js";
import { statusNames, statusNumbers } from "./status.js";

/** A filter as a message. */
export function toFilterMessage(filter: InstanceFilter) {
  const { statuses = [], tags = {}, tagPrefixes = {}, ...rest } = filter;
  const { createdFrom, createdBefore, updatedFrom, updatedBefore, where, ...texts } = rest;
  return {
    ...texts,
    statuses: statuses.map((status) => statusNumbers[status]),
    tags: { ...tags },
    tagPrefixes: { ...tagPrefixes },
    ...(createdFrom === undefined ? {} : { createdFrom: toTimestamp(createdFrom) }),
    ...(createdBefore === undefined ? {} : { createdBefore: toTimestamp(createdBefore) }),
    ...(updatedFrom === undefined ? {} : { updatedFrom: toTimestamp(updatedFrom) }),
    ...(updatedBefore === undefined ? {} : { updatedBefore: toTimestamp(updatedBefore) }),
    ...(where === undefined ? {} : { where: toConditionMessage(where) }),
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
    ...(message.where === undefined ? {} : { where: fromConditionMessage(message.where) }),
  };
}
