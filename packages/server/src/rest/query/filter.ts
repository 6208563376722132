// SPDX-License-Identifier: Apache-2.0

import type { Instance, InstanceFilter } from "@pawl/engine";
import { malformed } from "../instance/query.js";
import { isStatus, parseStatus } from "../instance/status.js";
import { type Field, type FieldValue, fieldNames, findField, tagOf } from "./field.js";

/** How a value stands to a field's. */
export type Comparison = "EQ" | "NEQ" | "GT" | "GTE" | "LT" | "LTE" | "IN";

/** A filter, read. */
export type FilterNode =
  | { readonly kind: "all" | "any"; readonly nodes: readonly FilterNode[] }
  | {
      readonly kind: "compare";
      readonly how: Comparison;
      readonly field: Field;
      readonly values: readonly (string | number)[];
    };

const comparisons: ReadonlySet<string> = new Set<Comparison>([
  "EQ",
  "NEQ",
  "GT",
  "GTE",
  "LT",
  "LTE",
  "IN",
]);
/** Levels of AND and OR, and conditions, that a filter may have. */
const maxDepth = 16;
const maxNodes = 256;

/**
 * Reads the `filter` of Dapr's state query: one of EQ, NEQ, GT, GTE, LT, LTE, IN with one field, or
 * AND and OR with a list of filters. An empty one lets all through.
 * Rejects with ERR_MALFORMED_REQUEST.
 */
export function parseFilter(filter: unknown): FilterNode {
  let count = 0;
  const parse = (value: unknown, depth: number): FilterNode => {
    count += 1;
    if (depth > maxDepth || count > maxNodes) throw malformed("the filter is too large");
    const entries = isObject(value) ? Object.entries(value) : undefined;
    const [operator, operand] = entries?.[0] ?? [];
    if (entries?.length !== 1 || operator === undefined) {
      throw malformed(
        'a filter is an object with one operator, as in {"EQ": {"status": "failed"}}',
      );
    }
    if (operator === "AND" || operator === "OR") {
      if (!Array.isArray(operand)) throw malformed(`${operator} takes a list of filters`);
      const nodes = operand.map((item) => parse(item, depth + 1));
      return { kind: operator === "AND" ? "all" : "any", nodes };
    }
    if (!isComparison(operator)) throw malformed(`there is no operator "${operator}"`);
    return parseComparison(operator, operand);
  };
  if (filter === undefined || (isObject(filter) && Object.keys(filter).length === 0)) {
    return { kind: "all", nodes: [] };
  }
  return parse(filter, 1);
}

function parseComparison(how: Comparison, operand: unknown): FilterNode {
  const entries = isObject(operand) ? Object.entries(operand) : [];
  const [key = "", value] = entries[0] ?? [];
  const field = findField(key);
  if (entries.length !== 1) throw malformed(`${how} takes an object with one field`);
  if (field === undefined) {
    throw malformed(`there is no field "${key}"; fields are ${fieldNames.join(", ")}`);
  }
  const list = how === "IN" ? value : [value];
  if (!Array.isArray(list)) throw malformed(`IN takes a list of values for "${key}"`);
  return { kind: "compare", how, field, values: list.map((item) => parseValue(field, item)) };
}

function parseValue({ kind, name }: Field, value: unknown): string | number {
  if (kind === "instant") {
    const at = typeof value === "string" ? Date.parse(value) : value;
    if (typeof at === "number" && Number.isFinite(at)) return at;
    throw malformed(`"${name}" is an instant, as in "2026-01-31T12:00:00Z"`);
  }
  if (typeof value !== "string") throw malformed(`"${name}" is a text`);
  if (kind === "text") return value;
  return parseStatus(value);
}

/** Whether a filter lets an instance through. A field that it does not have is equal to nothing. */
export function lets(node: FilterNode, instance: Instance): boolean {
  switch (node.kind) {
    case "all":
      return node.nodes.every((inner) => lets(inner, instance));
    case "any":
      return node.nodes.some((inner) => lets(inner, instance));
    case "compare":
      return compares(node.how, node.field.read(instance), node.values);
  }
}

function compares(how: Comparison, own: FieldValue, values: readonly (string | number)[]): boolean {
  if (own === undefined) return how === "NEQ";
  const [value = ""] = values;
  switch (how) {
    case "EQ":
      return own === value;
    case "NEQ":
      return own !== value;
    case "GT":
      return own > value;
    case "GTE":
      return own >= value;
    case "LT":
      return own < value;
    case "LTE":
      return own <= value;
    case "IN":
      return values.includes(own);
  }
}

/** As much of a filter as the indexes can tell: it lets through all that the filter does, or more. */
export function indexFilter(node: FilterNode): InstanceFilter {
  if (node.kind === "any") return {};
  if (node.kind === "compare") return indexComparison(node.how, node.field, node.values);
  // One condition of a kind is enough to look by; the others are checked on what is found.
  return Object.assign({}, ...node.nodes.map(indexFilter));
}

function indexComparison(
  how: Comparison,
  field: Field,
  values: readonly (string | number)[],
): InstanceFilter {
  const tag = tagOf(field);
  const [value] = values;
  if (field.name === "status" && (how === "EQ" || (how === "IN" && values.length > 0))) {
    return { statuses: values.filter(isStatus) };
  }
  if (typeof value === "string" && how === "EQ") {
    if (tag !== undefined) return { tags: { [tag]: value } };
    if (field.name === "name") return { workflow: value };
    if (field.name === "parentInstanceID") return { parentInstanceId: value };
    return field.name === "id" ? { instanceIdPrefix: value } : {};
  }
  if (typeof value !== "number") return {};
  if (field.name === "createdAt") {
    const { from, before } = rangeOf(how, value);
    return { ...given("createdFrom", from), ...given("createdBefore", before) };
  }
  if (field.name === "lastUpdatedAt") {
    const { from, before } = rangeOf(how, value);
    return { ...given("updatedFrom", from), ...given("updatedBefore", before) };
  }
  return {};
}

/** A range in whole milliseconds, from `from` (inclusive) to `before` (exclusive). */
function rangeOf(how: Comparison, at: number): { from?: number; before?: number } {
  switch (how) {
    case "EQ":
      return { from: Math.floor(at), before: Math.floor(at) + 1 };
    case "GT":
    case "GTE":
      return { from: Math.floor(at) };
    case "LT":
      return { before: Math.ceil(at) };
    case "LTE":
      return { before: Math.floor(at) + 1 };
    default:
      return {};
  }
}

function given<K extends string>(key: K, value: number | undefined): { [P in K]?: number } {
  const fields: { [P in K]?: number } = {};
  if (value !== undefined) fields[key] = value;
  return fields;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isComparison(operator: string): operator is Comparison {
  return comparisons.has(operator);
}
