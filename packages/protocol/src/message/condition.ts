// SPDX-License-Identifier: Apache-2.0

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  type InstanceCondition,
  type InstanceConditionSchema,
  ComparisonOperator as Operator,
  TextField as TextNumber,
  TimeField as TimeNumber,
} from "../gen/pawl/v1/condition_pb.js";
import { toNearestTimestamp } from "../history.js";
import type { Comparison, Condition, TextField, TimeField } from "../port/condition.js";
import type { InstanceStatus } from "../port/management.js";
import { statusNumbers, statusOf } from "./status.js";

/** Throws the caller's error for a message that cannot be understood; `what` is at fault. */
export type Refuse = (what: string) => never;

const operators = {
  eq: Operator.EQUAL,
  neq: Operator.NOT_EQUAL,
  gt: Operator.GREATER,
  gte: Operator.GREATER_OR_EQUAL,
  lt: Operator.LESS,
  lte: Operator.LESS_OR_EQUAL,
  in: Operator.IN,
  prefix: Operator.PREFIX,
} as const satisfies Record<Comparison["op"], Operator>;

const textFields = {
  instanceId: TextNumber.INSTANCE_ID,
  workflow: TextNumber.WORKFLOW,
  parentInstanceId: TextNumber.PARENT_INSTANCE_ID,
  version: TextNumber.VERSION,
} as const satisfies Record<TextField, TextNumber>;

const timeFields = {
  createdAt: TimeNumber.CREATED_AT,
  updatedAt: TimeNumber.UPDATED_AT,
  startedAt: TimeNumber.STARTED_AT,
  completedAt: TimeNumber.COMPLETED_AT,
  startAt: TimeNumber.START_AT,
} as const satisfies Record<TimeField, TimeNumber>;

/** A condition as a message. */
export function toConditionMessage(
  condition: Condition,
): MessageInitShape<typeof InstanceConditionSchema> {
  if ("all" in condition) {
    const value = { conditions: condition.all.map(toConditionMessage) };
    return { condition: { case: "all", value } };
  }
  if ("any" in condition) {
    const value = { conditions: condition.any.map(toConditionMessage) };
    return { condition: { case: "any", value } };
  }
  const operator = operators[condition.op];
  switch (condition.field) {
    case "status": {
      const values = listOf<InstanceStatus>(condition).map((status) => statusNumbers[status]);
      return { condition: { case: "status", value: { operator, values } } };
    }
    case "tag": {
      const value = { key: condition.tag, operator, values: listOf<string>(condition) };
      return { condition: { case: "tag", value } };
    }
    case "instanceId":
    case "workflow":
    case "parentInstanceId":
    case "version": {
      const value = { field: textFields[condition.field], operator, values: listOf(condition) };
      return { condition: { case: "text", value } };
    }
    default: {
      const values = listOf<number>(condition).map(toNearestTimestamp);
      const value = { field: timeFields[condition.field], operator, values };
      return { condition: { case: "time", value } };
    }
  }
}

/**
 * The condition that a message means. Whether its comparisons suit their fields is not looked at.
 * @throws what `refuse` throws
 */
export function fromConditionMessage(message: InstanceCondition, refuse: Refuse): Condition {
  const { condition } = message;
  const part = (one: InstanceCondition): Condition => fromConditionMessage(one, refuse);
  switch (condition.case) {
    case "all":
      return { all: condition.value.conditions.map(part) };
    case "any":
      return { any: condition.value.conditions.map(part) };
    case "text": {
      const field = nameOf(textFields, condition.value.field);
      return comparison({ field }, condition.value, refuse);
    }
    case "tag":
      return comparison({ field: "tag", tag: condition.value.key }, condition.value, refuse);
    case "status": {
      const { operator, values } = condition.value;
      const statuses = values.map((value) => statusOf(value) ?? refuse("a status"));
      return comparison({ field: "status" }, { operator, values: statuses }, refuse);
    }
    case "time": {
      const { operator, values } = condition.value;
      const field = nameOf(timeFields, condition.value.field);
      return comparison({ field }, { operator, values: values.map(toInstant) }, refuse);
    }
    case undefined:
      return refuse("a condition");
  }
}

function comparison(
  of: { readonly field: Comparison["field"] | undefined; readonly tag?: string },
  asked: { readonly operator: Operator; readonly values: readonly (string | number)[] },
  refuse: Refuse,
): Condition {
  const { operator, values } = asked;
  const op = nameOf(operators, operator) ?? refuse("the operator of a comparison");
  if (of.field === undefined) refuse("the field of a comparison");
  if (op !== "in" && values.length !== 1) refuse(`the one value that "${op}" takes`);
  // The engine checks what belongs together.
  return { ...of, op, value: op === "in" ? values : values[0] } as Condition;
}

function nameOf<K extends string, V>(names: Readonly<Record<K, V>>, value: V): K | undefined {
  return (Object.keys(names) as K[]).find((key) => names[key] === value);
}

/** In milliseconds, with what is below them: it may decide a comparison. */
function toInstant({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1000 + nanos / 1_000_000;
}

function listOf<T extends string | number>(of: { readonly value: T | readonly T[] }): T[] {
  return [of.value].flat() as T[];
}
