// SPDX-License-Identifier: Apache-2.0

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  type InstanceCondition,
  type InstanceConditionSchema,
  ComparisonOperator as Operator,
  TextField as TextNumber,
  TimeField as TimeNumber,
  toTimestamp,
} from "@pawl/protocol";
import { PawlError } from "../errors.js";
import type { Comparison, Condition, InstanceStatus, TextField, TimeField } from "../port.js";
import { statusNames, statusNumbers } from "./status.js";

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
      const values = listOf<number>(condition).map(toTimestamp);
      const value = { field: timeFields[condition.field], operator, values };
      return { condition: { case: "time", value } };
    }
  }
}

/** The condition that a message means: a batch tells of the one that it was given. */
export function fromConditionMessage({ condition }: InstanceCondition): Condition {
  switch (condition.case) {
    case "all":
      return { all: condition.value.conditions.map(fromConditionMessage) };
    case "any":
      return { any: condition.value.conditions.map(fromConditionMessage) };
    case "text":
      return comparison(nameOf(textFields, condition.value.field), condition.value);
    case "tag":
      return comparison("tag", condition.value, condition.value.key);
    case "status": {
      const { operator, values } = condition.value;
      return comparison("status", { operator, values: values.map((value) => statusNames[value]) });
    }
    case "time": {
      const { field, operator, values } = condition.value;
      return comparison(nameOf(timeFields, field), { operator, values: values.map(toInstant) });
    }
    case undefined:
      return unknown();
  }
}

function comparison(
  field: Comparison["field"],
  of: { readonly operator: Operator; readonly values: readonly (string | number)[] },
  tag?: string,
): Condition {
  const op = nameOf(operators, of.operator);
  const value = op === "in" ? of.values : of.values[0];
  // What a server sends it has checked.
  return { ...(tag === undefined ? { field } : { field, tag }), op, value } as Condition;
}

function nameOf<K extends string, V>(names: Readonly<Record<K, V>>, value: V): K {
  return (Object.keys(names) as K[]).find((key) => names[key] === value) ?? unknown();
}

function unknown(): never {
  throw new PawlError("INTERNAL", "the server sent a condition that this client does not know");
}

/** In milliseconds, with what is below them: it may decide a comparison. */
function toInstant({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1000 + nanos / 1_000_000;
}

function listOf<T extends string | number>(of: { readonly value: T | readonly T[] }): T[] {
  return [of.value].flat() as T[];
}
