// SPDX-License-Identifier: Apache-2.0

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  InstanceConditionSchema,
  ComparisonOperator as Operator,
} from "../gen/pawl/v1/condition_pb.js";
import { InstanceStatus } from "../gen/pawl/v1/instance_pb.js";
import type { Condition } from "../port/condition.js";
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
    expect(fromConditionMessage(message, refuse)).toEqual(condition);
  });
});

describe("fromConditionMessage()", () => {
  test.each<[string, MessageInitShape<typeof InstanceConditionSchema>]>([
    ["a condition", {}],
    ["a status", { condition: status(Operator.EQUAL, [InstanceStatus.UNSPECIFIED]) }],
    ["the operator of a comparison", { condition: status(Operator.UNSPECIFIED, [1]) }],
    ['the one value that "eq" takes', { condition: status(Operator.EQUAL, [1, 2]) }],
    [
      "the field of a comparison",
      { condition: { case: "text", value: { operator: Operator.EQUAL, values: ["a"] } } },
    ],
  ])("refuses a message without %s", (what, message) => {
    const condition = create(InstanceConditionSchema, message);
    expect(() => fromConditionMessage(condition, refuse)).toThrow(`refused ${what}`);
  });
});

function status(operator: Operator, values: InstanceStatus[]) {
  return { case: "status", value: { operator, values } } as const;
}

function refuse(what: string): never {
  throw new Error(`refused ${what}`);
}
