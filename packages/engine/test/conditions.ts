// SPDX-License-Identifier: Apache-2.0

import type { Condition, InstanceStatus } from "@pawl/protocol/port";
import fc from "fast-check";
import { type Row, rowStatus } from "../src/store/codec.js";
import { updatedAtOf } from "../src/store/index/index-key.js";

/** What stored instances and conditions have in common, so that conditions find something. */
export interface Vocabulary {
  readonly ids: fc.Arbitrary<string>;
  readonly workflows: fc.Arbitrary<string>;
  readonly parents: fc.Arbitrary<string>;
  readonly tags: fc.Arbitrary<string>;
  readonly tagValues: fc.Arbitrary<string>;
  readonly statuses: fc.Arbitrary<InstanceStatus>;
  readonly instants: fc.Arbitrary<number>;
}

/** Conditions of every kind, nested. */
export function conditionsOf(words: Vocabulary): fc.Arbitrary<Condition> {
  const values = {
    instanceId: words.ids,
    workflow: words.workflows,
    parentInstanceId: words.parents,
    version: fc.constantFrom("1", "2"),
  };
  const texts = Object.entries(values).map(([field, value]) =>
    textComparisons(value).map((rest) => ({ field, ...rest })),
  );
  const tags = fc
    .tuple(words.tags, textComparisons(words.tagValues))
    .map(([tag, rest]) => ({ field: "tag", tag, ...rest }));
  const statuses = equals(words.statuses).map((rest) => ({ field: "status", ...rest }));
  const times = fc
    .tuple(
      fc.constantFrom("createdAt", "updatedAt", "startedAt", "completedAt"),
      fc.oneof(equals(words.instants), compared(words.instants)),
    )
    .map(([field, rest]) => ({ field, ...rest }));
  const comparison = fc.oneof(...texts, tags, tags, statuses, times) as fc.Arbitrary<Condition>;
  return fc.letrec<{ node: Condition }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      comparison,
      fc.record({ all: fc.array(tie("node"), { maxLength: 3 }) }),
      fc.record({ any: fc.array(tie("node"), { maxLength: 4 }) }),
    ),
  })).node;
}

function equals<T>(value: fc.Arbitrary<T>) {
  return fc.oneof(
    fc.record({ op: fc.constantFrom("eq", "neq"), value }),
    fc.record({ op: fc.constant("in"), value: fc.array(value, { maxLength: 3 }) }),
  );
}

function compared<T>(value: fc.Arbitrary<T>) {
  return fc.record({ op: fc.constantFrom("gt", "gte", "lt", "lte"), value });
}

function textComparisons(value: fc.Arbitrary<string>) {
  const prefix = fc.record({ op: fc.constant("prefix"), value });
  return fc.oneof(equals(value), compared(value), prefix);
}

/** A condition by its plain meaning, said in another way than the engine's. */
export function isMeant(condition: Condition, instanceId: string, row: Row): boolean {
  if ("all" in condition) return !condition.all.some((one) => !isMeant(one, instanceId, row));
  if ("any" in condition)
    return condition.any.filter((o) => isMeant(o, instanceId, row)).length > 0;
  const own = ownValue(condition, instanceId, row);
  const values = [condition.value].flat();
  if (condition.op === "neq") return own === undefined || own !== values[0];
  if (own === undefined) return false;
  if (condition.op === "eq" || condition.op === "in") return values.some((value) => value === own);
  if (condition.op === "prefix") return String(own).indexOf(String(values[0])) === 0;
  const keys = [own, values[0] ?? ""].map(sortable);
  const sign = (keys[0] ?? "") < (keys[1] ?? "") ? -1 : Number(keys[0] !== keys[1]);
  return { gt: sign > 0, gte: sign >= 0, lt: sign < 0, lte: sign <= 0 }[condition.op];
}

/** A text whose order is that of the value. */
function sortable(value: string | number): string {
  return typeof value === "number"
    ? value.toFixed(15).padStart(32, "0")
    : Buffer.from(value).toString("hex");
}

function ownValue(
  condition: Exclude<Condition, { all: unknown } | { any: unknown }>,
  instanceId: string,
  row: Row,
): string | number | undefined {
  const { field } = condition;
  if (field === "tag") return new Map(Object.entries(row.tags)).get(condition.tag);
  return {
    instanceId,
    workflow: row.workflow,
    parentInstanceId: row.parent?.instanceId,
    version: row.version === "" ? undefined : row.version,
    status: rowStatus(row),
    createdAt: row.createdAt,
    updatedAt: updatedAtOf(row),
    startedAt: row.startedAt || undefined,
    completedAt: row.completedAt || undefined,
    startAt: row.startAt || undefined,
  }[field];
}
