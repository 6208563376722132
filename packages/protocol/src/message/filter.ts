// SPDX-License-Identifier: Apache-2.0

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { InstanceFilter as FilterMessage } from "../gen/pawl/v1/query_pb.js";
import { fromTimestamp, toNearestTimestamp } from "../history.js";
import type { InstanceFilter } from "../port/query.js";
import { fromConditionMessage, type Refuse, toConditionMessage } from "./condition.js";
import { statusNumbers, statusOf } from "./status.js";

/** A filter as a message. */
export function toFilterMessage(filter: InstanceFilter) {
  const { statuses = [], tags = {}, tagPrefixes = {}, ...rest } = filter;
  const { createdFrom, createdBefore, updatedFrom, updatedBefore, where, ...texts } = rest;
  return {
    ...texts,
    statuses: statuses.map((status) => statusNumbers[status]),
    tags: { ...tags },
    tagPrefixes: { ...tagPrefixes },
    ...(createdFrom === undefined ? {} : { createdFrom: toNearestTimestamp(createdFrom) }),
    ...(createdBefore === undefined ? {} : { createdBefore: toNearestTimestamp(createdBefore) }),
    ...(updatedFrom === undefined ? {} : { updatedFrom: toNearestTimestamp(updatedFrom) }),
    ...(updatedBefore === undefined ? {} : { updatedBefore: toNearestTimestamp(updatedBefore) }),
    ...(where === undefined ? {} : { where: toConditionMessage(where) }),
  };
}

type FilterFields = Omit<FilterMessage, "$typeName" | "$unknown">;

/**
 * The filter of a message that has its fields. A status that is unspecified, or not known, is any.
 * @throws what `refuse` throws
 */
export function fromFilterMessage(message: FilterFields, refuse: Refuse): InstanceFilter {
  const { workflow, instanceIdPrefix, parentInstanceId, tags, tagPrefixes, where } = message;
  const named = message.statuses.map(statusOf);
  const statuses = named.filter((status) => status !== undefined);
  return {
    ...(statuses.length === 0 || statuses.length < named.length ? {} : { statuses }),
    ...(workflow === "" ? {} : { workflow }),
    ...(instanceIdPrefix === "" ? {} : { instanceIdPrefix }),
    ...(parentInstanceId === "" ? {} : { parentInstanceId }),
    ...instant("createdFrom", message.createdFrom),
    ...instant("createdBefore", message.createdBefore),
    ...instant("updatedFrom", message.updatedFrom),
    ...instant("updatedBefore", message.updatedBefore),
    ...(Object.keys(tags).length === 0 ? {} : { tags }),
    ...(Object.keys(tagPrefixes).length === 0 ? {} : { tagPrefixes }),
    ...(where === undefined ? {} : { where: fromConditionMessage(where, refuse) }),
  };
}

function instant<K extends string>(
  field: K,
  timestamp: Timestamp | undefined,
): { [key in K]?: number } {
  if (timestamp === undefined) return {};
  const entries: [K, number][] = [[field, fromTimestamp(timestamp)]];
  return Object.fromEntries(entries) as { [key in K]?: number };
}
