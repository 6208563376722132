// SPDX-License-Identifier: Apache-2.0

import type { Comparison, Condition } from "@pawl/protocol/port";
import { afterPrefix } from "../../../store/scan.js";

/** From one value to before another; undefined: without an end. */
export interface Range<T> {
  readonly from: T | undefined;
  readonly before: T | undefined;
}

/** One of these; undefined: any. */
export type Choice = ReadonlySet<string> | undefined;

/**
 * What is true of every instance for which a condition holds, as far as keys can tell: where to look.
 * What it lets through has to be checked yet.
 */
export interface Bounds {
  readonly id: Range<Uint8Array>;
  readonly ids: Choice;
  readonly statuses: Choice;
  readonly workflows: Choice;
  readonly parents: Choice;
  readonly created: Range<number>;
  readonly updated: Range<number>;
  /** Tags that they have, by key, with one of these values. */
  readonly tags: ReadonlyMap<string, ReadonlySet<string>>;
  /** Tags that they have, by key, with a value that begins so. */
  readonly tagPrefixes: ReadonlyMap<string, string>;
}

const open = { from: undefined, before: undefined };
const anything: Bounds = {
  id: open,
  ids: undefined,
  statuses: undefined,
  workflows: undefined,
  parents: undefined,
  created: open,
  updated: open,
  tags: new Map(),
  tagPrefixes: new Map(),
};
const nothing: Bounds = { ...anything, ids: new Set() };

/** The bounds of a condition. */
export function boundsOf(condition: Condition): Bounds {
  if ("all" in condition) return condition.all.map(boundsOf).reduce(both, anything);
  if ("any" in condition) {
    const possible = condition.any.map(boundsOf).filter((bounds) => !isImpossible(bounds));
    return possible.length === 0 ? nothing : possible.reduce(either);
  }
  return comparisonBounds(condition);
}

/** True when no instance can be within. */
export function isImpossible(bounds: Bounds): boolean {
  const { ids, statuses, workflows, parents, tags, created, updated } = bounds;
  const choices = [ids, statuses, workflows, parents, ...tags.values()];
  return (
    choices.some((choice) => choice?.size === 0) ||
    [created, updated].some(({ from = 0, before }) => before !== undefined && from >= before)
  );
}

/** The first id that may come after this one. In keys a zero byte ends it, which no id contains. */
export function afterId(id: Uint8Array): Buffer {
  return Buffer.concat([id, Buffer.from([1])]);
}

/** False for an id that is out of bounds. */
export function admitsId({ id: { from, before }, ids }: Bounds, instanceId: string): boolean {
  if (ids !== undefined) return ids.has(instanceId);
  if (from === undefined && before === undefined) return true;
  const bytes = Buffer.from(instanceId, "utf8");
  return (
    (from === undefined || Buffer.compare(bytes, from) >= 0) &&
    (before === undefined || Buffer.compare(bytes, before) < 0)
  );
}

function comparisonBounds(comparison: Comparison): Bounds {
  switch (comparison.field) {
    case "instanceId":
      return { ...anything, id: idRange(comparison), ids: choiceOf(comparison) };
    case "workflow":
      return { ...anything, workflows: choiceOf(comparison) };
    case "parentInstanceId":
      return { ...anything, parents: choiceOf(comparison) };
    case "status":
      return { ...anything, statuses: choiceOf(comparison) };
    case "createdAt":
      return { ...anything, created: timeRange(comparison) };
    case "updatedAt":
      return { ...anything, updated: timeRange(comparison) };
    case "tag": {
      const { tag, op } = comparison;
      const values = choiceOf(comparison);
      if (values !== undefined) return { ...anything, tags: new Map([[tag, values]]) };
      if (op !== "prefix") return anything;
      return { ...anything, tagPrefixes: new Map([[tag, comparison.value]]) };
    }
    default:
      return anything;
  }
}

function choiceOf(comparison: { readonly op: string; readonly value: unknown }): Choice {
  const { op, value } = comparison;
  if (op === "eq" && typeof value === "string") return new Set([value]);
  return op === "in" && Array.isArray(value) ? new Set<string>(value) : undefined;
}

function idRange({ op, value }: Comparison): Range<Uint8Array> {
  if (typeof value !== "string") return open;
  const bytes = Buffer.from(value, "utf8");
  switch (op) {
    case "eq":
      return { from: bytes, before: afterId(bytes) };
    case "prefix":
      return bytes.length === 0 ? open : { from: bytes, before: afterPrefix(bytes) };
    case "gt":
    case "gte":
      return { from: bytes, before: undefined };
    case "lt":
    case "lte":
      return { from: undefined, before: afterId(bytes) };
    default:
      return open;
  }
}

/** Rows have whole milliseconds. */
function timeRange({ op, value }: Comparison): Range<number> {
  const values = [value].flat().filter((one) => typeof one === "number");
  const least = Math.floor(Math.min(...values));
  const next = Math.floor(Math.max(...values)) + 1;
  switch (op) {
    case "eq":
    case "in":
      return values.length === 0 ? { from: 0, before: 0 } : { from: least, before: next };
    case "gt":
    case "gte":
      return { from: least, before: undefined };
    case "lt":
    case "lte":
      return { from: undefined, before: next };
    default:
      return open;
  }
}

function both(a: Bounds, b: Bounds): Bounds {
  const tags = new Map(a.tags);
  for (const [key, values] of b.tags) tags.set(key, common(tags.get(key), values) ?? values);
  const tagPrefixes = new Map(a.tagPrefixes);
  for (const [key, prefix] of b.tagPrefixes) {
    if (prefix.length >= (tagPrefixes.get(key)?.length ?? 0)) tagPrefixes.set(key, prefix);
  }
  return {
    id: overlap(a.id, b.id, Buffer.compare),
    ids: common(a.ids, b.ids),
    statuses: common(a.statuses, b.statuses),
    workflows: common(a.workflows, b.workflows),
    parents: common(a.parents, b.parents),
    created: overlap(a.created, b.created, byNumber),
    updated: overlap(a.updated, b.updated, byNumber),
    tags,
    tagPrefixes,
  };
}

function either(a: Bounds, b: Bounds): Bounds {
  const tags = new Map<string, ReadonlySet<string>>();
  for (const [key, values] of a.tags) {
    const others = b.tags.get(key);
    if (others !== undefined) tags.set(key, new Set([...values, ...others]));
  }
  const samePrefixes = [...a.tagPrefixes].filter(([key, text]) => b.tagPrefixes.get(key) === text);
  return {
    id: hull(a.id, b.id, Buffer.compare),
    ids: union(a.ids, b.ids),
    statuses: union(a.statuses, b.statuses),
    workflows: union(a.workflows, b.workflows),
    parents: union(a.parents, b.parents),
    created: hull(a.created, b.created, byNumber),
    updated: hull(a.updated, b.updated, byNumber),
    tags,
    tagPrefixes: new Map(samePrefixes),
  };
}

function common(a: Choice, b: Choice): Choice {
  if (a === undefined || b === undefined) return a ?? b;
  return new Set([...a].filter((one) => b.has(one)));
}

function union(a: Choice, b: Choice): Choice {
  return a === undefined || b === undefined ? undefined : new Set([...a, ...b]);
}

type Order<T> = (a: T, b: T) => number;
const byNumber: Order<number> = (a, b) => a - b;

function overlap<T>(a: Range<T>, b: Range<T>, order: Order<T>): Range<T> {
  const later = (x: T, y: T): T => (order(x, y) > 0 ? x : y);
  const sooner = (x: T, y: T): T => (order(x, y) < 0 ? x : y);
  return {
    from: a.from === undefined || b.from === undefined ? (a.from ?? b.from) : later(a.from, b.from),
    before:
      a.before === undefined || b.before === undefined
        ? (a.before ?? b.before)
        : sooner(a.before, b.before),
  };
}

function hull<T>(a: Range<T>, b: Range<T>, order: Order<T>): Range<T> {
  const isOpenAt = (end: "from" | "before"): boolean =>
    a[end] === undefined || b[end] === undefined;
  const pick = (x: T | undefined, y: T | undefined, sign: number): T | undefined =>
    x !== undefined && y !== undefined && sign * order(x, y) > 0 ? x : y;
  return {
    from: isOpenAt("from") ? undefined : pick(a.from, b.from, -1),
    before: isOpenAt("before") ? undefined : pick(a.before, b.before, 1),
  };
}
