// SPDX-License-Identifier: Apache-2.0

import type { Comparison, Condition } from "@pawl/engine";
import { limits } from "@pawl/protocol";
import { parseInstant } from "../../dapr/start-time.js";
import { parseStatus } from "../instance/status.js";
import { malformed } from "../malformed.js";
import { type Field, fieldNames, findField } from "./field.js";

const operators: ReadonlyMap<string, Comparison["op"]> = new Map<string, Comparison["op"]>([
  ["EQ", "eq"],
  ["NEQ", "neq"],
  ["GT", "gt"],
  ["GTE", "gte"],
  ["LT", "lt"],
  ["LTE", "lte"],
  ["IN", "in"],
]);

/** A status is no more or less than another. */
const statusOperators: ReadonlySet<Comparison["op"]> = new Set(["eq", "neq", "in"]);

/**
 * Reads the `filter` of Dapr's state query: one of EQ, NEQ, GT, GTE, LT, LTE, IN with one field, or
 * AND and OR with a list of filters. Undefined for an empty one, which lets all through. What it means
 * is the engine's to say: this only translates.
 * Rejects with ERR_MALFORMED_REQUEST.
 */
export function parseFilter(filter: unknown): Condition | undefined {
  if (filter === undefined || (isObject(filter) && Object.keys(filter).length === 0)) {
    return undefined;
  }
  return parse(filter, 1);
}

function parse(value: unknown, depth: number): Condition {
  // The engine counts; this only keeps the stack from growing with the request.
  if (depth > limits.conditionDepth) throw malformed("the filter is nested too deeply");
  const entries = isObject(value) ? Object.entries(value) : undefined;
  const [operator, operand] = entries?.[0] ?? [];
  if (entries?.length !== 1 || operator === undefined) {
    throw malformed('a filter is an object with one operator, as in {"EQ": {"status": "failed"}}');
  }
  if (operator === "AND" || operator === "OR") {
    if (!Array.isArray(operand)) throw malformed(`${operator} takes a list of filters`);
    const conditions = operand.map((item) => parse(item, depth + 1));
    return operator === "AND" ? { all: conditions } : { any: conditions };
  }
  const op = operators.get(operator);
  if (op === undefined) throw malformed(`there is no operator "${operator}"`);
  return parseComparison(operator, op, operand);
}

function parseComparison(operator: string, op: Comparison["op"], operand: unknown): Condition {
  const entries = isObject(operand) ? Object.entries(operand) : [];
  const [key = "", value] = entries[0] ?? [];
  const found = findField(key);
  if (entries.length !== 1) throw malformed(`${operator} takes an object with one field`);
  if (found === undefined) {
    throw malformed(`there is no field "${key}"; fields are ${fieldNames.join(", ")}`);
  }
  const { field, tag } = found;
  const of = tag === undefined ? { field } : { field, tag };
  if (found.kind === "status" && !statusOperators.has(op)) {
    throw malformed(`"${key}" is compared with EQ, NEQ or IN, not with ${operator}`);
  }
  if (op === "in" && !Array.isArray(value)) throw malformed(`IN takes a list of values`);
  const list = op === "in" && Array.isArray(value) ? value : undefined;
  const read = list?.map((item) => parseValue(found, item)) ?? parseValue(found, value);
  // The engine checks what belongs together.
  return { ...of, op, value: read } as Condition;
}

function parseValue({ kind, name }: Field, value: unknown): string | number {
  if (kind === "instant") {
    const at = typeof value === "string" ? parseInstant(value) : value;
    if (typeof at === "number" && Number.isFinite(at)) return at;
    throw malformed(`"${name}" is an instant, as in "2026-01-31T12:00:00Z"`);
  }
  if (typeof value !== "string") throw malformed(`"${name}" is a text`);
  if (kind === "text") return value;
  return parseStatus(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
