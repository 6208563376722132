// SPDX-License-Identifier: Apache-2.0

import type { ListQuery, ManagementPort, SortField } from "@pawl/engine";
import { limits } from "@pawl/protocol";
import { z } from "zod";
import { allInstances, callEngine } from "../early/error.js";
import { toFullJson } from "../instance/json.js";
import { readJson } from "../json-body.js";
import { malformed } from "../malformed.js";
import type { RestHandler } from "../router.js";
import { findField } from "./field.js";
import { parseFilter } from "./filter.js";

/** What the body of a query is. */
export const queryRequest = z.strictObject({
  filter: z.unknown().optional(),
  sort: z
    .array(
      z.strictObject({
        key: z.string(),
        order: z.enum(["ASC", "DESC", "asc", "desc"]).optional(),
      }),
    )
    .max(1, "lists are sorted by one key")
    .optional(),
  page: z
    .strictObject({
      limit: z.number().int().min(0).max(limits.listPage).optional(),
      token: z.string().max(2048).optional(),
    })
    .optional(),
  /** Ours: with inputs and outputs. */
  payloads: z.boolean().optional(),
});

const sortFields: Readonly<Record<string, SortField>> = {
  id: "id",
  createdAt: "created",
  lastUpdatedAt: "updated",
};

const defaultLimit = 100;

/**
 * POST …/workflows/{component}/query: instances by the filter, sort and page grammar of Dapr's state
 * query, answered in its form: `{"results": [{"key", "data"}], "token"}`.
 */
export function queryInstances(engine: ManagementPort): RestHandler {
  return async (call) => {
    const { filter, sort, page, payloads } = await readJson(call, queryRequest);
    const where = parseFilter(filter);
    const query: ListQuery = {
      ...(where === undefined ? {} : { where }),
      ...orderOf(sort?.[0]),
      payloads: payloads ?? false,
      pageSize: page?.limit || defaultLimit,
      pageToken: page?.token ?? "",
    };
    const { instances, nextPageToken } = await callEngine("list", allInstances, () =>
      engine.list(query),
    );
    const results = instances.map((one) => ({ key: one.instanceId, data: toFullJson(one) }));
    const token = nextPageToken === undefined ? {} : { token: nextPageToken };
    return { status: 200, body: { results, ...token } };
  };
}

function orderOf(sort: { key: string; order?: string | undefined } | undefined) {
  if (sort === undefined) return {};
  const sortBy = sortFields[findField(sort.key)?.name ?? ""];
  if (sortBy === undefined) {
    throw malformed(`lists are sorted by ${Object.keys(sortFields).join(", ")}`);
  }
  return { sortBy, descending: sort.order?.toUpperCase() === "DESC" };
}
