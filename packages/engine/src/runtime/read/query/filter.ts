// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import type { InstanceFilter, ListQuery } from "@pawl/protocol/port";
import { EngineError } from "../../../errors.js";
import { isStatus, type Row } from "../../../store/codec.js";
import { conditionOf, holds } from "./condition.js";
import { parseCondition } from "./condition-check.js";

/** Tells which instances a filter lets through. @throws INSTANCE_DAMAGED for a status that is none */
export type Matcher = (instanceId: string, row: Row) => boolean;

/** The one way to apply a filter, of lists, watches and batches. */
export function matcherOf(filter: InstanceFilter): Matcher {
  const condition = conditionOf(filter);
  return (instanceId, row) => holds(condition, instanceId, row);
}

const sortFields: readonly unknown[] = [undefined, "id", "created", "updated"];

/** @throws INVALID_ARGUMENT for a filter or an order that is none */
export function requireQuery(query: ListQuery): void {
  requireFilter(query);
  if (!sortFields.includes(query.sortBy)) {
    throw invalid("sortBy", "an order is by id, created or updated");
  }
}

/** @throws INVALID_ARGUMENT for a filter that is none */
export function requireFilter(filter: InstanceFilter): void {
  for (const field of ["createdFrom", "createdBefore", "updatedFrom", "updatedBefore"] as const) {
    const instant = filter[field];
    if (instant !== undefined && !Number.isFinite(instant)) {
      throw invalid(field, `${field} is not a time`);
    }
  }
  for (const status of filter.statuses ?? []) {
    if (!isStatus(status)) throw invalid("statuses", `"${status}" is no status`);
  }
  if (filter.where !== undefined) parseCondition(filter.where);
  const tags = [filter.tags, filter.tagPrefixes].flatMap((pairs) => Object.entries(pairs ?? {}));
  if (tags.length > limits.tags) {
    throw invalid("tags", `${tags.length} tags; at most ${limits.tags} are allowed`);
  }
  for (const [key, value] of tags) {
    if (Buffer.byteLength(key) > limits.tagKeyBytes)
      throw invalid("tags", "a tag's key is too long");
    if (Buffer.byteLength(value) > limits.tagValueBytes) {
      throw invalid("tags", "a tag's value is too long");
    }
  }
}

function invalid(field: string, message: string): EngineError {
  return new EngineError("INVALID_ARGUMENT", message, { details: { field } });
}
