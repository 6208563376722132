// SPDX-License-Identifier: Apache-2.0

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
