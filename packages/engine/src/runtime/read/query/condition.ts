// SPDX-License-Identifier: Apache-2.0

import type { Comparison, Condition, InstanceFilter } from "@pawl/protocol/port";
import { type Row, rowStatus } from "../../../store/codec.js";
import { updatedAtOf } from "../../../store/index/index-key.js";

/** A filter as one condition: what all that reads filters goes by. */
export function conditionOf(filter: InstanceFilter): Condition {
  const { statuses, workflow, instanceIdPrefix, parentInstanceId, where } = filter;
  const { createdFrom, createdBefore, updatedFrom, updatedBefore } = filter;
  const all: Condition[] = [];
  if (statuses?.length) all.push({ field: "status", op: "in", value: statuses });
  if (workflow) all.push({ field: "workflow", op: "eq", value: workflow });
  if (instanceIdPrefix) all.push({ field: "instanceId", op: "prefix", value: instanceIdPrefix });
  if (parentInstanceId) all.push({ field: "parentInstanceId", op: "eq", value: parentInstanceId });
  if (createdFrom !== undefined) all.push({ field: "createdAt", op: "gte", value: createdFrom });
  if (createdBefore !== undefined) all.push({ field: "createdAt", op: "lt", value: createdBefore });
  if (updatedFrom !== undefined) all.push({ field: "updatedAt", op: "gte", value: updatedFrom });
  if (updatedBefore !== undefined) all.push({ field: "updatedAt", op: "lt", value: updatedBefore });
  for (const [tag, value] of Object.entries(filter.tags ?? {})) {
    all.push({ field: "tag", tag, op: "eq", value });
  }
  for (const [tag, value] of Object.entries(filter.tagPrefixes ?? {})) {
    all.push({ field: "tag", tag, op: "prefix", value });
  }
  if (where !== undefined) all.push(where);
  return { all };
}

/**
 * Whether a condition holds for an instance: the one evaluator, of lists, watches and batches.
 * @throws INSTANCE_DAMAGED for a status that is none
 */
export function holds(condition: Condition, instanceId: string, row: Row): boolean {
  if ("all" in condition) return condition.all.every((one) => holds(one, instanceId, row));
  if ("any" in condition) return condition.any.some((one) => holds(one, instanceId, row));
  return compares(fieldOf(condition, instanceId, row), condition);
}

/** True for a condition that asks for nothing. */
export function isVacuous(condition: Condition): boolean {
  if ("all" in condition) return condition.all.every(isVacuous);
  return "any" in condition && condition.any.some(isVacuous);
}

type Value = string | number;

function fieldOf(comparison: Comparison, instanceId: string, row: Row): Value | undefined {
  switch (comparison.field) {
    case "instanceId":
      return instanceId;
    case "workflow":
      return row.workflow;
    case "parentInstanceId":
      return row.parent?.instanceId;
    case "version":
      return row.version || undefined;
    case "tag":
      return Object.hasOwn(row.tags, comparison.tag) ? row.tags[comparison.tag] : undefined;
    case "status":
      return rowStatus(row);
    case "createdAt":
      return row.createdAt;
    case "updatedAt":
      return updatedAtOf(row);
    case "startedAt":
    case "completedAt":
    case "startAt":
      return row[comparison.field] || undefined;
  }
}

function compares(own: Value | undefined, comparison: Comparison): boolean {
  if (own === undefined) return comparison.op === "neq";
  switch (comparison.op) {
    case "eq":
      return own === comparison.value;
    case "neq":
      return own !== comparison.value;
    case "in": {
      const values: readonly Value[] = comparison.value;
      return values.includes(own);
    }
    case "prefix":
      return typeof own === "string" && own.startsWith(comparison.value);
    case "gt":
      return order(own, comparison.value) > 0;
    case "gte":
      return order(own, comparison.value) >= 0;
    case "lt":
      return order(own, comparison.value) < 0;
    case "lte":
      return order(own, comparison.value) <= 0;
  }
}

/** Texts are in the order of their bytes, as keys of indexes are. */
function order(own: Value, value: Value): number {
  if (typeof own === "number" && typeof value === "number") return own - value;
  return Buffer.compare(Buffer.from(String(own)), Buffer.from(String(value)));
}
