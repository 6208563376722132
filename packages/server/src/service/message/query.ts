// SPDX-License-Identifier: Apache-2.0

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { InstanceFilter, ListQuery, SortField } from "@pawl/engine";
import {
  type InstanceFilter as FilterMessage,
  type InstanceFilterSchema as FilterSchema,
  fromTimestamp,
  InstanceOrder,
  type ListInstancesRequest,
  toTimestamp,
} from "@pawl/protocol";
import { toCondition, toConditionMessage } from "./condition.js";
import { toStatus, toStatuses } from "./instance.js";

const sortFields: Readonly<Record<InstanceOrder, SortField | undefined>> = {
  [InstanceOrder.UNSPECIFIED]: undefined,
  [InstanceOrder.ID]: "id",
  [InstanceOrder.CREATED]: "created",
  [InstanceOrder.UPDATED]: "updated",
};

/** The query of a list request. */
export function toQuery(request: ListInstancesRequest): ListQuery {
  const { pageSize, pageToken } = request;
  const sortBy = sortFields[request.orderBy];
  return {
    ...toFilter(request),
    payloads: request.includePayloads,
    ...(request.descending ? { descending: true } : {}),
    ...(sortBy === undefined ? {} : { sortBy }),
    ...(pageSize === 0 ? {} : { pageSize }),
    ...(pageToken === "" ? {} : { pageToken }),
  };
}

type FilterFields = Omit<FilterMessage, "$typeName" | "$unknown">;

/** The filter of a message that has its fields. */
export function toFilter(message: FilterFields): InstanceFilter {
  const { workflow, instanceIdPrefix, parentInstanceId, tags, tagPrefixes } = message;
  const statuses = toStatuses(message.statuses);
  return {
    ...(statuses.length === 0 ? {} : { statuses }),
    ...(workflow === "" ? {} : { workflow }),
    ...(instanceIdPrefix === "" ? {} : { instanceIdPrefix }),
    ...(parentInstanceId === "" ? {} : { parentInstanceId }),
    ...instant("createdFrom", message.createdFrom),
    ...instant("createdBefore", message.createdBefore),
    ...instant("updatedFrom", message.updatedFrom),
    ...instant("updatedBefore", message.updatedBefore),
    ...(Object.keys(tags).length === 0 ? {} : { tags }),
    ...(Object.keys(tagPrefixes).length === 0 ? {} : { tagPrefixes }),
    ...(message.where === undefined ? {} : { where: toCondition(message.where) }),
  };
}

/** A filter as a message. */
export function toFilterMessage(filter: InstanceFilter): MessageInitShape<typeof FilterSchema> {
  const { statuses = [], tags = {}, tagPrefixes = {}, ...rest } = filter;
  const { createdFrom, createdBefore, updatedFrom, updatedBefore, where, ...texts } = rest;
  return {
    ...texts,
    statuses: statuses.map((status) => toStatus[status]),
    tags: { ...tags },
    tagPrefixes: { ...tagPrefixes },
    ...(createdFrom === undefined ? {} : { createdFrom: toTimestamp(createdFrom) }),
    ...(createdBefore === undefined ? {} : { createdBefore: toTimestamp(createdBefore) }),
    ...(updatedFrom === undefined ? {} : { updatedFrom: toTimestamp(updatedFrom) }),
    ...(updatedBefore === undefined ? {} : { updatedBefore: toTimestamp(updatedBefore) }),
    ...(where === undefined ? {} : { where: toConditionMessage(where) }),
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
