// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { InstanceConditionSchema } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import type { Condition } from "../port.js";
import { fromConditionMessage, toConditionMessage } from "./condition.js";

describe("toConditionMessage()", () => {
  test.each<Condition>([
    { all: [] },
    { any: [{ all: [{ any: [] }] }, { field: "instanceId", op: "eq", value: "a" }] },
    { field: "workflow", op: "neq", value: "a" },
    { field: "parentInstanceId", op: "gt", value: "a" },
    { field: "version", op: "gte", value: "" },
    { field: "tag", tag: "team", op: "prefix", value: "bl" },
    { field: "tag", tag: "team", op: "in", value: ["blue", "red"] },
    { field: "status", op: "in", value: ["pending", "terminated"] },
    { field: "status", op: "neq", value: "stalled" },
    { field: "createdAt", op: "lt", value: 1_700_000_000_123 },
    { field: "updatedAt", op: "lte", value: 0.5 },
    { field: "startedAt", op: "in", value: [1, 2] },
    { field: "completedAt", op: "eq", value: 5 },
    { field: "startAt", op: "gte", value: 5 },
  ])("keeps %j as it is", (condition) => {
    const message = create(InstanceConditionSchema, toConditionMessage(condition));
    expect(fromConditionMessage(message)).toEqual(condition);
  });
});

describe("fromConditionMessage()", () => {
  test("refuses what a newer server means", () => {
    expect(() => fromConditionMessage(create(InstanceConditionSchema))).toThrow("does not know");
  });
});
