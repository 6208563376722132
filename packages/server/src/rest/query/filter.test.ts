// SPDX-License-Identifier: Apache-2.0

import type { Instance, InstanceStatus } from "@pawl/engine";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { indexFilter, lets, parseFilter } from "./filter.js";

const one: Instance = {
  instanceId: "a-1",
  workflow: "order",
  status: "running",
  executionId: "e",
  generation: 1,
  createdAt: 1_000,
  updatedAt: 2_000,
  tags: { team: "blue" },
  historyLength: 0,
};

describe("parseFilter()", () => {
  test.each([
    [{}, true],
    [{ EQ: { status: "RUNNING" } }, true],
    [{ NEQ: { runtimeStatus: "running" } }, false],
    [{ GT: { createdAt: 999 } }, true],
    [{ GT: { createdAt: "1970-01-01T00:00:01Z" } }, false],
    [{ GTE: { createdAt: "1970-01-01T00:00:01Z" } }, true],
    [{ LT: { lastUpdatedAt: 2_000 } }, false],
    [{ LTE: { lastUpdatedAt: 2_000 } }, true],
    [{ IN: { name: ["x", "order"] } }, true],
    [{ IN: { name: [] } }, false],
    [{ EQ: { "metadata.team": "blue" } }, true],
    [{ EQ: { "metadata.other": "blue" } }, false],
    [{ NEQ: { completionTime: 5 } }, true],
    [{ LT: { completionTime: 5 } }, false],
    [{ AND: [{ EQ: { id: "a-1" } }, { EQ: { workflowName: "x" } }] }, false],
    [{ OR: [{ EQ: { instanceID: "a-1" } }, { EQ: { name: "x" } }] }, true],
    [{ OR: [] }, false],
    [{ AND: [] }, true],
  ])("reads %j", (filter, passes) => {
    expect(lets(parseFilter(filter), one)).toBe(passes);
  });

  test.each([
    [null],
    ["x"],
    [[]],
    [{ LIKE: { name: "x" } }],
    [{ EQ: { name: "x" }, NEQ: { name: "y" } }],
    [{ EQ: { name: "x", id: "y" } }],
    [{ EQ: { nothing: "x" } }],
    [{ EQ: { "metadata.": "x" } }],
    [{ EQ: { name: 5 } }],
    [{ EQ: { status: "canceled" } }],
    [{ EQ: { createdAt: "yesterday" } }],
    [{ IN: { name: "x" } }],
    [{ AND: { EQ: { name: "x" } } }],
    [{ AND: [5] }],
  ])("refuses %j", (filter) => {
    expect(() => parseFilter(filter)).toThrow("malformed request");
  });

  test("refuses what is nested too deeply, or too long", () => {
    let deep: object = { EQ: { name: "x" } };
    for (let level = 0; level < 20; level += 1) deep = { AND: [deep] };
    expect(() => parseFilter(deep)).toThrow("too large");
    const long = { OR: Array.from({ length: 300 }, () => ({ EQ: { name: "x" } })) };
    expect(() => parseFilter(long)).toThrow("too large");
  });
});

describe("indexFilter()", () => {
  const compare = fc.oneof(
    fc.record({ EQ: fc.record({ status: fc.constantFrom("running", "failed") }) }),
    fc.record({ IN: fc.record({ status: fc.constant(["failed", "pending"]) }) }),
    fc.record({ EQ: fc.record({ name: fc.constantFrom("order", "x") }) }),
    fc.record({ NEQ: fc.record({ name: fc.constantFrom("order", "x") }) }),
    fc.record({ EQ: fc.record({ id: fc.constantFrom("a-1", "a") }) }),
    fc.record({ EQ: fc.record({ "metadata.team": fc.constantFrom("blue", "red") }) }),
    ...["EQ", "GT", "GTE", "LT", "LTE"].map((how) =>
      fc.record({
        [how]: fc.oneof(
          fc.record({ createdAt: fc.double({ min: 998, max: 1_002, noNaN: true }) }),
          fc.record({ lastUpdatedAt: fc.integer({ min: 1_998, max: 2_002 }) }),
        ),
      }),
    ),
  );
  const filters = fc.letrec<{ node: object }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      compare,
      fc.record({ AND: fc.array(tie("node"), { maxLength: 4 }) }),
      fc.record({ OR: fc.array(tie("node"), { maxLength: 3 }) }),
    ),
  })).node;
  const instances = fc.record({
    status: fc.constantFrom<InstanceStatus>("running", "failed", "pending"),
    workflow: fc.constantFrom("order", "x"),
    instanceId: fc.constantFrom("a-1", "a", "b"),
    createdAt: fc.integer({ min: 998, max: 1_002 }),
    updatedAt: fc.integer({ min: 1_998, max: 2_002 }),
    tags: fc.constantFrom<Record<string, string>>({ team: "blue" }, { team: "red" }, {}),
  });

  test("lets through all that the filter lets through", () => {
    fc.assert(
      fc.property(filters, instances, (filter, fields) => {
        const node = parseFilter(filter);
        const instance = { ...one, ...fields };
        if (!lets(node, instance)) return;
        const { statuses, workflow, instanceIdPrefix, tags, ...range } = indexFilter(node);
        expect(statuses ?? [instance.status]).toContain(instance.status);
        expect(workflow ?? instance.workflow).toBe(instance.workflow);
        expect(instance.instanceId.startsWith(instanceIdPrefix ?? "")).toBe(true);
        expect(instance.tags).toMatchObject(tags ?? {});
        expect(instance.createdAt).toBeGreaterThanOrEqual(range.createdFrom ?? 0);
        expect(instance.createdAt).toBeLessThan(range.createdBefore ?? Number.POSITIVE_INFINITY);
        expect(instance.updatedAt).toBeGreaterThanOrEqual(range.updatedFrom ?? 0);
        expect(instance.updatedAt).toBeLessThan(range.updatedBefore ?? Number.POSITIVE_INFINITY);
      }),
      { numRuns: 3_000 },
    );
  });
});
