// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { parseFilter } from "./filter.js";

describe("parseFilter()", () => {
  test.each([
    [{}, undefined],
    [{ EQ: { status: "RUNNING" } }, { field: "status", op: "eq", value: "running" }],
    [{ NEQ: { runtimeStatus: "failed" } }, { field: "status", op: "neq", value: "failed" }],
    [{ GT: { createdAt: 999 } }, { field: "createdAt", op: "gt", value: 999 }],
    [
      { GTE: { startTime: "1970-01-01T00:00:01Z" } },
      { field: "startedAt", op: "gte", value: 1_000 },
    ],
    [{ LT: { lastUpdatedAt: 2.5 } }, { field: "updatedAt", op: "lt", value: 2.5 }],
    [{ LTE: { completionTime: 2 } }, { field: "completedAt", op: "lte", value: 2 }],
    [{ IN: { name: ["x", "order"] } }, { field: "workflow", op: "in", value: ["x", "order"] }],
    [{ IN: { workflowName: [] } }, { field: "workflow", op: "in", value: [] }],
    [{ EQ: { "metadata.team": "blue" } }, { field: "tag", tag: "team", op: "eq", value: "blue" }],
    [{ EQ: { parentInstanceID: "p" } }, { field: "parentInstanceId", op: "eq", value: "p" }],
    [
      { AND: [{ EQ: { id: "a" } }, { OR: [{ EQ: { instanceID: "b" } }] }] },
      {
        all: [
          { field: "instanceId", op: "eq", value: "a" },
          { any: [{ field: "instanceId", op: "eq", value: "b" }] },
        ],
      },
    ],
    [{ OR: [] }, { any: [] }],
  ])("translates %j", (filter, condition) => {
    expect(parseFilter(filter)).toEqual(condition);
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
    [{ GT: { createdAt: "5" } }],
    [{ GT: { createdAt: "2026-01-31T12:00:00" } }],
    [{ GT: { status: "RUNNING" } }],
    [{ IN: { name: "x" } }],
    [{ AND: { EQ: { name: "x" } } }],
    [{ AND: [5] }],
  ])("refuses %j", (filter) => {
    expect(() => parseFilter(filter)).toThrow("malformed request");
  });

  test("refuses what is nested too deeply", () => {
    let deep: object = { EQ: { name: "x" } };
    for (let level = 0; level < 100_000; level += 1) deep = { AND: [deep] };
    expect(() => parseFilter(deep)).toThrow("nested too deeply");
  });
});
