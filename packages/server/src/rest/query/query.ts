// SPDX-License-Identifier: Apache-2.0

import type { Instance, ListQuery, ManagementPort, SortField } from "@pawl/engine";
import { limits } from "@pawl/protocol";
import { z } from "zod";
import { bodyLimitBytes, readBody } from "../body.js";
import { callEngine } from "../early/error.js";
import { toFullJson } from "../instance/json.js";
import { malformed } from "../instance/query.js";
import type { RestHandler } from "../router.js";
import { findField } from "./field.js";
import { type FilterNode, indexFilter, lets, parseFilter } from "./filter.js";

const request = z.strictObject({
  filter: z.unknown(),
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

/** Pages of the index that one answer looks at, at most: it may be short and have a next one. */
const pageLimit = 500;
const defaultLimit = 100;

/**
 * POST …/workflows/{component}/query: instances by the filter, sort and page grammar of Dapr's state
 * query, answered in its form: `{"results": [{"key", "data"}], "token"}`.
 */
export function queryInstances(engine: ManagementPort): RestHandler {
  return async (call) => {
    const body = await readBody(call.request, bodyLimitBytes(false));
    const parsed = request.safeParse(body.length === 0 ? {} : parseJson(body));
    if (!parsed.success) throw malformed(z.prettifyError(parsed.error));
    const { filter, sort, page, payloads } = parsed.data;
    const node = parseFilter(filter);
    const query: ListQuery = {
      ...indexFilter(node),
      ...orderOf(sort?.[0]),
      payloads: payloads ?? false,
    };
    const subject = { subject: "", instanceId: "" };
    const limit = page?.limit || defaultLimit;
    const { found, token } = await callEngine("get", subject, () =>
      collect(engine, node, query, limit, page?.token),
    );
    const results = found.map((one) => ({ key: one.instanceId, data: toFullJson(one) }));
    return { status: 200, body: { results, ...(token === undefined ? {} : { token }) } };
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

/** Instances up to the limit. Each page asks for as many as are missing, so that its token fits. */
async function collect(
  engine: ManagementPort,
  node: FilterNode,
  query: ListQuery,
  limit: number,
  firstToken: string | undefined,
): Promise<{ found: Instance[]; token: string | undefined }> {
  const found: Instance[] = [];
  let token = firstToken;
  for (let pages = 0; pages < pageLimit && found.length < limit; pages += 1) {
    const pageSize = limit - found.length;
    const page = await engine.list({
      ...query,
      pageSize,
      ...(token === undefined || token === "" ? {} : { pageToken: token }),
    });
    found.push(...page.instances.filter((one) => lets(node, one)));
    token = page.nextPageToken;
    if (token === undefined) break;
  }
  return { found, token };
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw malformed("the body is not JSON");
  }
}
