// SPDX-License-Identifier: Apache-2.0

import type { Condition, InstanceFilter, ManagementPort } from "@pawl/engine";
import { limits } from "@pawl/protocol";
import { allInstances, callEngine } from "../early/error.js";
import { malformed } from "../malformed.js";
import { parseFlag, parseNumber } from "../parameter.js";
import { parseFilter } from "../query/filter.js";
import type { RestCall, RestHandler } from "../router.js";
import { toFullJson } from "./json.js";
import { parseStatus } from "./status.js";
import { watchInstances } from "./watch.js";

/**
 * GET …/workflows/{component}: one page of instances. `status` (may be repeated), `workflow`,
 * `idPrefix` and `filter` (as in a query) choose; `pageSize`, `pageToken`; `payloads=true` includes inputs
 * and outputs. With `watch=true` it is a stream of changes instead.
 */
export function listInstances(engine: ManagementPort): RestHandler {
  return async (call) => {
    call.request.resume();
    const filter = filterOf(call);
    if (parseFlag(call, "watch", false)) return watchInstances(engine, filter, call);
    const pageSize = parseNumber(call, "pageSize", limits.listPage);
    const pageToken = call.query.get("pageToken") ?? "";
    const query = {
      ...filter,
      payloads: parseFlag(call, "payloads", false),
      ...(pageSize === undefined ? {} : { pageSize }),
      ...(pageToken === "" ? {} : { pageToken }),
    };
    const { instances, nextPageToken } = await callEngine("list", allInstances, () =>
      engine.list(query),
    );
    const next = nextPageToken === undefined ? {} : { nextPageToken };
    return { status: 200, body: { instances: instances.map(toFullJson), ...next } };
  };
}

function filterOf({ query }: RestCall): InstanceFilter {
  const workflow = query.get("workflow") ?? "";
  const instanceIdPrefix = query.get("idPrefix") ?? "";
  const where = parseFilterText(query.get("filter") ?? "{}");
  return {
    statuses: query.getAll("status").map(parseStatus),
    ...(workflow === "" ? {} : { workflow }),
    ...(instanceIdPrefix === "" ? {} : { instanceIdPrefix }),
    ...(where === undefined ? {} : { where }),
  };
}

function parseFilterText(text: string): Condition | undefined {
  let filter: unknown;
  try {
    filter = JSON.parse(text);
  } catch {
    throw malformed("the filter is not JSON");
  }
  return parseFilter(filter);
}
