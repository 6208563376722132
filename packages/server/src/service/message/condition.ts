// SPDX-License-Identifier: Apache-2.0

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  type Comparison,
  type Condition,
  EngineError,
  type InstanceStatus,
  type TextField,
  type TimeField,
} from "@pawl/engine";
import {
  type InstanceCondition,
  type InstanceConditionSchema,
  ComparisonOperator as Operator,
  TextField as TextMessage,
  TimeField as TimeMessage,
  toTimestamp,
} from "@pawl/protocol";
import { fromStatus, toStatus } from "./instance.js";

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
  instanceId: TextMessage.INSTANCE_ID,
  workflow: TextMessage.WORKFLOW,
  parentInstanceId: TextMessage.PARENT_INSTANCE_ID,
  version: TextMessage.VERSION,
} as const satisfies Record<TextField, TextMessage>;

const timeFields = {
  createdAt: TimeMessage.CREATED_AT,
  updatedAt: TimeMessage.UPDATED_AT,
  startedAt: TimeMessage.STARTED_AT,
  completedAt: TimeMessage.COMPLETED_AT,
  startAt: TimeMessage.START_AT,
} as const satisfies Record<TimeField, TimeMessage>;

/**
 * The condition that a message means. Whether its comparisons suit their fields is the engine's to
 * say.
 * @throws INVALID_ARGUMENT
 */
export function toCondition({ condition }: InstanceCondition): Condition {
  switch (condition.case) {
    case "all":
      return { all: condition.value.conditions.map(toCondition) };
    case "any":
      return { any: condition.value.conditions.map(toCondition) };
    case "text": {
      const { field, operator, values } = condition.value;
      return comparison(nameOf(textFields, field, "field"), operator, values);
    }
    case "tag": {
      const { key, operator, values } = condition.value;
      return comparison("tag", operator, values, key);
    }
    case "status": {
      const { operator, values } = condition.value;
      const statuses = values.map((value) => fromStatus.get(value) ?? invalid("a status"));
      return comparison("status", operator, statuses);
    }
    case "time": {
      const { field, operator, values } = condition.value;
      const instants = values.map(toInstant);
      return comparison(nameOf(timeFields, field, "field"), operator, instants);
    }
    case undefined:
      return invalid("a condition");
  }
}

function comparison(
  field: Comparison["field"],
  operator: Operator,
  values: readonly (string | number)[],
  tag?: string,
): Condition {
  const op = nameOf(operators, operator, "operator");
  const [value] = values;
  if (op !== "in" && values.length !== 1) {
    throw new EngineError("INVALID_ARGUMENT", `a comparison by "${op}" takes one value`, {
      details: { field: "where" },
    });
  }
  const of = tag === undefined ? { field } : { field, tag };
  // The engine checks what belongs together.
  return { ...of, op, value: op === "in" ? values : value } as Condition;
}

function nameOf<K extends string, V>(names: Readonly<Record<K, V>>, value: V, what: string): K {
  const name = (Object.keys(names) as K[]).find((key) => names[key] === value);
  return name ?? invalid(`the ${what} of a comparison`);
}

function invalid(what: string): never {
  throw new EngineError("INVALID_ARGUMENT", `${what} is missing, or not known`, {
    details: { field: "where" },
  });
}

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
      const values = listOf<InstanceStatus>(condition).map((status) => toStatus[status]);
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

/** In milliseconds, with what is below them: it may decide a comparison. */
function toInstant({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1000 + nanos / 1_000_000;
}

function listOf<T extends string | number>(of: { readonly value: T | readonly T[] }): T[] {
  return [of.value].flat() as T[];
}
