// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { complete, failure, schedule } from "../../../test/actions.js";
import { PureInstance } from "../../../test/pure-instance.js";
import { nothing } from "../outcome.js";
import { completeActivity } from "./complete-activity.js";

const facts = { executionId: "execution-1", taskId: 0, output: '"ok"', failure: undefined };

describe("completeActivity()", () => {
  test("puts a result into the inbox with the call's execution id", () => {
    const { state } = PureInstance.after([schedule(0, "charge")]);
    expect(completeActivity(state, facts, 9).accepted[0]?.event.eventType).toMatchObject({
      case: "taskCompleted",
      value: { taskScheduledId: 0, taskExecutionId: "call-0", result: '"ok"' },
    });
  });

  test("leaves out a result that there is none of", () => {
    const { state } = PureInstance.after([schedule(0, "charge")]);
    const [record] = completeActivity(state, { ...facts, output: undefined }, 9).accepted;
    expect(record?.event.eventType.value).not.toHaveProperty("result");
  });

  test("puts a failure into the inbox as it came", () => {
    const { state } = PureInstance.after([schedule(0, "charge")]);
    const failed = { ...facts, failure: failure("Declined", "no funds") };
    expect(completeActivity(state, failed, 9).accepted[0]?.event.eventType).toMatchObject({
      case: "taskFailed",
      value: {
        taskScheduledId: 0,
        taskExecutionId: "call-0",
        failureDetails: { errorType: "Declined", errorMessage: "no funds" },
      },
    });
  });

  test("fails the task whose output is over the limit", () => {
    const { state } = PureInstance.after([schedule(0, "charge")]);
    const large = { ...facts, output: "x".repeat(limits.payloadBytes + 1) };
    expect(completeActivity(state, large, 9).accepted[0]?.event.eventType).toMatchObject({
      case: "taskFailed",
      value: { taskScheduledId: 0, failureDetails: { errorType: "PayloadTooLarge" } },
    });
  });

  test("ignores a result for another execution", () => {
    const { state } = PureInstance.after([schedule(0, "charge")]);
    expect(completeActivity(state, { ...facts, executionId: "other" }, 9)).toBe(nothing);
  });

  test("ignores a second result, and one for no task", () => {
    const instance = PureInstance.after([schedule(0, "charge")]);
    instance.activity(0, '"ok"');
    expect(completeActivity(instance.state, facts, 9)).toBe(nothing);
    instance.turn([]);
    expect(completeActivity(instance.state, facts, 9)).toBe(nothing);
    expect(completeActivity(instance.state, { ...facts, taskId: 7 }, 9)).toBe(nothing);
  });

  test("only settles the task of an ended instance, once", () => {
    const instance = PureInstance.after([schedule(0, "mail"), complete(1)]);
    const outcome = completeActivity(instance.state, facts, 9);
    expect(outcome).toEqual({ accepted: [], messages: [], settledTask: 0 });
    instance.do(outcome);
    expect(completeActivity(instance.state, facts, 10)).toBe(nothing);
    expect(completeActivity(instance.state, { ...facts, taskId: 7 }, 10)).toBe(nothing);
  });
});
