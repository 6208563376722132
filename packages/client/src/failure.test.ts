// SPDX-License-Identifier: Apache-2.0

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FailureSchema, TaskFailureDetailsSchema } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { ActivityFailedError, NonRetriableError } from "./errors.js";
import {
  errorOf,
  failureOf,
  fromFailureDetails,
  fromFailureMessage,
  toFailureDetails,
  toFailureMessage,
} from "./failure.js";

class CardDeclined extends Error {
  override readonly name = "CardDeclined";
}

describe("failureOf()", () => {
  test("keeps name, message, stack and causes", () => {
    const error = new CardDeclined("no funds", { cause: new TypeError("inner") });
    expect(failureOf(error)).toEqual({
      type: "CardDeclined",
      message: "no funds",
      stackTrace: error.stack,
      cause: expect.objectContaining({ type: "TypeError", message: "inner" }),
      nonRetriable: false,
    });
  });

  test("takes what is thrown but is no error", () => {
    expect(failureOf("oops")).toEqual({ type: "Error", message: "oops", nonRetriable: false });
  });

  test.each([
    ["an object without a prototype", Object.create(null), "Error", "a value without text"],
    ["a symbol", Symbol("s"), "Error", "Symbol(s)"],
    ["a message that is none", Object.assign(new Error(), { message: 42 }), "Error", "42"],
    ["a name that is none", Object.assign(new Error("m"), { name: undefined }), "undefined", "m"],
    ["a stack that is none", Object.assign(new Error("m"), { stack: [] }), "Error", "m"],
  ])("describes %s in a form that can be sent", (_what, thrown, type, message) => {
    const failure = failureOf(thrown);
    expect(failure).toMatchObject({ type, message });
    const sent = toBinary(FailureSchema, toFailureMessage(failure));
    expect(fromFailureMessage(fromBinary(FailureSchema, sent))).toEqual(failure);
    expect(toBinary(TaskFailureDetailsSchema, toFailureDetails(failure)).length).toBeGreaterThan(0);
  });

  test("marks what cannot be retried, also when it comes from an activity", () => {
    expect(failureOf(new NonRetriableError("never")).nonRetriable).toBe(true);
    const failure = { type: "X", message: "x", nonRetriable: true };
    const error = new ActivityFailedError("a", 0, failure, errorOf(failure));
    expect(failureOf(error).nonRetriable).toBe(true);
  });

  test("ends a cycle of causes", () => {
    const error = new Error("round");
    error.cause = error;
    expect(JSON.stringify(failureOf(error)).match(/"round"/g)?.length).toBeLessThan(20);
  });
});

describe("the wire forms", () => {
  test("keep all of a failure", () => {
    const failure = {
      type: "A",
      message: "a",
      stackTrace: "at a",
      cause: { type: "B", message: "", nonRetriable: false },
      nonRetriable: true,
    };
    expect(fromFailureDetails(toFailureDetails(failure))).toEqual(failure);
    expect(fromFailureMessage(toFailureMessage(failure))).toEqual(failure);
    expect(failureOf(errorOf(failure))).toMatchObject({ type: "A", message: "a" });
  });
});
