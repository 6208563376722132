// SPDX-License-Identifier: Apache-2.0

import { EngineError, type InstanceFilter, type ListQuery, type SortField } from "@pawl/engine";
import { InstanceOrder, type ListInstancesRequest } from "@pawl/protocol";
import { fromFilterMessage } from "@pawl/protocol/message";

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

/**
 * The filter of a message that has its fields.
 * @throws INVALID_ARGUMENT
 */
export function toFilter(message: Parameters<typeof fromFilterMessage>[0]): InstanceFilter {
  return fromFilterMessage(message, refuse);
}

function refuse(what: string): never {
  throw new EngineError("INVALID_ARGUMENT", `${what} is missing, or not known`, {
    details: { field: "where" },
  });
}
