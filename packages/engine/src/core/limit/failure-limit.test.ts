// SPDX-License-Identifier: Apache-2.0

import { create, toBinary } from "@bufbuild/protobuf";
import { type TaskFailureDetails, TaskFailureDetailsSchema } from "@pawl/protocol";
import { expect, test } from "vitest";
import { boundFailure, failureLength } from "./failure-limit.js";

/** A failure with `depth` failures within. */
function nested(depth: number): TaskFailureDetails {
  let inner = create(TaskFailureDetailsSchema, { errorType: "E", errorMessage: "0" });
  for (let at = 1; at <= depth; at += 1) {
    inner = create(TaskFailureDetailsSchema, {
      errorType: "E",
      errorMessage: String(at),
      stackTrace: "at",
      innerFailure: inner,
    });
  }
  return inner;
}

test("a failure that is not nested too deep stays as it is", () => {
  const failure = nested(62);
  expect(boundFailure(failure)).toBe(failure);
});

test("what is nested too deep to be written loses its innermost failures alone", () => {
  const failure = nested(20_000);
  const bound = boundFailure(failure);
  expect(bound).toMatchObject({ errorMessage: "20000", innerFailure: { errorMessage: "19999" } });
  expect(() => toBinary(TaskFailureDetailsSchema, bound)).not.toThrow();
  expect(failure.innerFailure?.innerFailure?.errorMessage).toBe("19998");
});

test("the length is that of all its texts", () => {
  expect(failureLength(nested(1))).toBe(2 + 1 + 1 + 2);
});
