// SPDX-License-Identifier: Apache-2.0

import type { Condition } from "@pawl/protocol/port";
import type { StoredStatus } from "@pawl/protocol/store";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { admitsId, boundsOf, isImpossible } from "../src/runtime/read/query/bounds.js";
import { holds } from "../src/runtime/read/query/condition.js";
import { parseCondition } from "../src/runtime/read/query/condition-check.js";
import { Row, rowStatus } from "../src/store/codec.js";
import { updatedAtOf } from "../src/store/index/index-key.js";
import { conditionsOf, isMeant } from "./conditions.js";

const ids = fc.constantFrom("a", "ab", "b", "é");
const workflows = fc.constantFrom("w", "x");
const instants = fc.integer({ min: 1000, max: 1004 });
const tagValues = fc.constantFrom("t", "tt", "u");

const condition = conditionsOf({
  ids,
  workflows,
  parents: fc.constantFrom("p", "q"),
  tags: fc.constantFrom("k", "l"),
  tagValues,
  statuses: fc.constantFrom("running", "failed", "completed"),
  instants: fc.oneof(
    instants,
    instants.map((at) => at - 0.5),
  ),
});

const row = fc
  .record({
    workflow: workflows,
    status: fc.constantFrom<StoredStatus>(2, 5, 6),
    createdAt: instants,
    updatedAt: instants,
    completedAt: fc.oneof(fc.constant(0), instants),
    parent: fc.option(fc.constantFrom("p", "q"), { nil: undefined }),
    version: fc.constantFrom("", "1"),
    tags: fc.dictionary(fc.constantFrom("k", "l"), tagValues, { maxKeys: 2 }),
  })
  .map(({ parent, ...rest }) => {
    const made = Object.assign(new Row(), rest);
    if (parent !== undefined) made.parent = { instanceId: parent, executionId: "", taskId: 0 };
    return made;
  });

describe("a condition", () => {
  test("holds as it is meant", () => {
    let held = 0;
    fc.assert(
      fc.property(condition, ids, row, (where, id, value) => {
        expect(holds(where, id, value)).toBe(isMeant(where, id, value));
        held += Number(isMeant(where, id, value));
      }),
      { numRuns: 5000 },
    );
    expect(held).toBeGreaterThan(1000);
  });

  test("lets nothing through that is out of its bounds", () => {
    fc.assert(
      fc.property(condition, ids, row, (where, id, value) => {
        if (!isMeant(where, id, value)) return;
        const bounds = boundsOf(where);
        expect(isImpossible(bounds)).toBe(false);
        expect(admitsId(bounds, id)).toBe(true);
        const { statuses, workflows: names, parents, created, updated } = bounds;
        expect(statuses?.has(rowStatus(value)) ?? true).toBe(true);
        expect(names?.has(value.workflow) ?? true).toBe(true);
        expect(parents?.has(value.parent?.instanceId ?? "") ?? true).toBe(true);
        expect(value.createdAt).toBeGreaterThanOrEqual(created.from ?? 0);
        expect(value.createdAt).toBeLessThan(created.before ?? 1e9);
        expect(updatedAtOf(value)).toBeGreaterThanOrEqual(updated.from ?? 0);
        expect(updatedAtOf(value)).toBeLessThan(updated.before ?? 1e9);
        for (const [key, values] of bounds.tags) expect(values).toContain(value.tags[key]);
        for (const [key, prefix] of bounds.tagPrefixes) {
          expect(value.tags[key]).toMatch(new RegExp(`^${prefix}`));
        }
      }),
      { numRuns: 20_000 },
    );
  });

  test("has bounds that are worth looking by", () => {
    const where: Condition = {
      all: [
        {
          any: [
            { field: "status", op: "eq", value: "failed" },
            { field: "status", op: "in", value: ["stalled", "failed"] },
          ],
        },
        { field: "createdAt", op: "gte", value: 5 },
        { field: "createdAt", op: "lt", value: 9 },
        {
          any: [
            { field: "tag", tag: "k", op: "eq", value: "t" },
            { field: "tag", tag: "k", op: "eq", value: "u" },
          ],
        },
        { field: "tag", tag: "k", op: "neq", value: "t" },
        { any: [{ field: "workflow", op: "eq", value: "w" }, { any: [] }] },
      ],
    };
    expect(boundsOf(where)).toMatchObject({
      statuses: new Set(["failed", "stalled"]),
      created: { from: 5, before: 10 },
      tags: new Map([["k", new Set(["t", "u"])]]),
      workflows: new Set(["w"]),
      parents: undefined,
    });
  });
});

describe("parseCondition()", () => {
  test("gives back what is a condition, in one form", () => {
    fc.assert(
      fc.property(condition, (where) => {
        expect(parseCondition(JSON.parse(JSON.stringify(where)))).toEqual(where);
      }),
    );
    const mixedUp = { value: "x", op: "eq", tag: "k", field: "tag", more: 1 };
    expect(JSON.stringify(parseCondition(mixedUp))).toBe(
      '{"field":"tag","tag":"k","op":"eq","value":"x"}',
    );
  });

  test.each<[unknown, string]>([
    [null, "where: a condition is an object"],
    [[], "where: a condition is an object"],
    [{}, "where: it has neither"],
    [{ all: {} }, "where.all: it is no list"],
    [{ any: [{ all: [] }, 5] }, "where.any[1]: a condition is an object"],
    [{ field: "colour", op: "eq", value: "red" }, "where: it has neither"],
    [{ field: "toString", op: "eq", value: "red" }, "where: it has neither"],
    [{ field: "workflow", op: "like", value: "x" }, 'of "workflow" the comparisons are eq'],
    [{ field: "status", op: "gt", value: "failed" }, 'of "status" the comparisons are eq, neq, in'],
    [{ field: "createdAt", op: "prefix", value: 5 }, 'of "createdAt" the comparisons are'],
    [{ field: "workflow", op: "eq" }, "the value is no text"],
    [{ field: "workflow", op: "in", value: "x" }, '"in" takes a list'],
    [{ field: "status", op: "eq", value: "canceled" }, '"canceled" is no status'],
    [{ field: "createdAt", op: "eq", value: Number.NaN }, "the value is no time"],
    [{ field: "createdAt", op: "eq", value: "today" }, "the value is no time"],
    [{ field: "tag", op: "eq", value: "x" }, "the key of the tag is missing"],
    [{ field: "tag", tag: "k".repeat(257), op: "eq", value: "x" }, "a tag's key is too long"],
    [{ field: "workflow", op: "eq", value: "x".repeat(1025) }, "a value is too long"],
  ])("refuses %j", (value, message) => {
    expect(() => parseCondition(value)).toThrow(message);
  });

  test("refuses what is nested too deeply, or too long", () => {
    let deep: object = { any: [] };
    for (let level = 1; level < 16; level += 1) deep = { all: [deep] };
    expect(parseCondition(deep)).toEqual(deep);
    expect(() => parseCondition({ all: [deep] })).toThrow("more than 16 levels");
    const list = (count: number) => ({ all: Array.from({ length: count }, () => ({ any: [] })) });
    expect(parseCondition(list(255))).toEqual(list(255));
    expect(() => parseCondition(list(256))).toThrow("more than 256 conditions");
    const values = (count: number) => {
      return { field: "instanceId", op: "in", value: Array.from({ length: count }, String) };
    };
    expect(parseCondition(values(1024))).toEqual(values(1024));
    expect(() => parseCondition(values(1025))).toThrow("more than 1024 values");
  });
});
