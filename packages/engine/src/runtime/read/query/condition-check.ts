// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import type { Condition, TextField, TimeField } from "@pawl/protocol/port";
import { EngineError } from "../../../errors.js";
import { isStatus } from "../../../store/codec.js";

type Kind = "text" | "status" | "time";

const kinds: Readonly<Record<TextField | TimeField | "tag" | "status", Kind>> = {
  instanceId: "text",
  workflow: "text",
  parentInstanceId: "text",
  version: "text",
  tag: "text",
  status: "status",
  createdAt: "time",
  updatedAt: "time",
  startedAt: "time",
  completedAt: "time",
  startAt: "time",
};

const ordered = ["eq", "neq", "in", "gt", "gte", "lt", "lte"];
const operators: Readonly<Record<Kind, readonly string[]>> = {
  text: [...ordered, "prefix"],
  status: ["eq", "neq", "in"],
  time: ordered,
};

/**
 * Reads a condition of unknown origin; the answer has its parts in one order, so that its JSON is the
 * same for the same condition.
 * @throws INVALID_ARGUMENT for what is none, and for one beyond the limits
 */
export function parseCondition(value: unknown): Condition {
  return new Reader().read(value, "where", 1);
}

class Reader {
  #conditions = 0;
  #values = 0;

  read(value: unknown, path: string, depth: number): Condition {
    this.#conditions += 1;
    if (depth > limits.conditionDepth) {
      throw invalid(path, `conditions are nested more than ${limits.conditionDepth} levels deep`);
    }
    if (this.#conditions > limits.conditions) {
      throw invalid(path, `there are more than ${limits.conditions} conditions`);
    }
    if (!isObject(value)) throw invalid(path, "a condition is an object");
    if ("all" in value) return { all: this.#readList(value.all, `${path}.all`, depth) };
    if ("any" in value) return { any: this.#readList(value.any, `${path}.any`, depth) };
    return this.#readComparison(value, path);
  }

  #readList(value: unknown, path: string, depth: number): Condition[] {
    if (!Array.isArray(value)) throw invalid(path, "it is no list of conditions");
    return value.map((item, at) => this.read(item, `${path}[${at}]`, depth + 1));
  }

  #readComparison(value: Record<string, unknown>, path: string): Condition {
    const { field, op, tag } = value;
    const kind = typeof field === "string" && isField(field) ? kinds[field] : undefined;
    if (kind === undefined) {
      throw invalid(path, `it has neither "all" nor "any", nor a field that there is`);
    }
    if (typeof op !== "string" || !operators[kind].includes(op)) {
      throw invalid(path, `of "${field}" the comparisons are ${operators[kind].join(", ")}`);
    }
    if (field === "tag" && (typeof tag !== "string" || tag === "")) {
      throw invalid(path, "the key of the tag is missing");
    }
    if (typeof tag === "string" && Buffer.byteLength(tag) > limits.tagKeyBytes) {
      throw invalid(path, "a tag's key is too long");
    }
    const read = op === "in" ? this.#readValues(kind, value.value, path) : undefined;
    const of = field === "tag" ? { field, tag } : { field };
    const comparison = { ...of, op, value: read ?? this.#readValue(kind, value.value, path) };
    // Every part has just been looked at.
    return comparison as Condition;
  }

  #readValues(kind: Kind, value: unknown, path: string): (string | number)[] {
    if (!Array.isArray(value)) throw invalid(path, '"in" takes a list of values');
    return value.map((item) => this.#readValue(kind, item, path));
  }

  #readValue(kind: Kind, value: unknown, path: string): string | number {
    this.#values += 1;
    if (this.#values > limits.conditionValues) {
      throw invalid(path, `there are more than ${limits.conditionValues} values`);
    }
    if (kind === "time") {
      if (typeof value === "number" && Number.isFinite(value)) return value;
      throw invalid(path, "the value is no time");
    }
    if (typeof value !== "string") throw invalid(path, "the value is no text");
    if (kind === "status" && !isStatus(value)) throw invalid(path, `"${value}" is no status`);
    if (Buffer.byteLength(value) > limits.tagValueBytes) throw invalid(path, "a value is too long");
    return value;
  }
}

function isField(field: string): field is keyof typeof kinds {
  return Object.hasOwn(kinds, field);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(path: string, message: string): EngineError {
  return new EngineError("INVALID_ARGUMENT", `${path}: ${message}`, { details: { field: path } });
}
