// SPDX-License-Identifier: Apache-2.0

import type { Instance } from "@pawl/engine";
import { describe, expect, test } from "vitest";
import { shownStatus, toDaprInstance } from "./instance.js";

const instance: Instance = {
  instanceId: "a",
  workflow: "order",
  status: "running",
  executionId: "e",
  generation: 1,
  createdAt: 1,
  updatedAt: 2,
  tags: {},
  historyLength: 0,
};

describe("toDaprInstance()", () => {
  test.each([
    ["pending", "PENDING"],
    ["running", "RUNNING"],
    ["suspended", "SUSPENDED"],
    ["stalled", "STALLED"],
    ["completed", "COMPLETED"],
    ["failed", "FAILED"],
    ["terminated", "TERMINATED"],
  ] as const)("shows %s as %s", (status, runtimeStatus) => {
    expect(toDaprInstance({ ...instance, status }).runtimeStatus).toBe(runtimeStatus);
  });

  test("has a word for a stall, unless it must be Dapr's", () => {
    const stalled = toDaprInstance({ ...instance, status: "stalled" });
    expect([false, true].map((strict) => shownStatus(stalled, strict))).toEqual([
      "STALLED",
      "UNKNOWN",
    ]);
    expect(shownStatus(toDaprInstance(instance), true)).toBe("RUNNING");
  });

  test("shows payloads, also empty ones", () => {
    const shown = toDaprInstance({ ...instance, input: "", output: "1", customStatus: '"s"' });

    expect(shown.properties).toEqual({
      "dapr.workflow.input": "",
      "dapr.workflow.output": "1",
      "dapr.workflow.custom_status": '"s"',
    });
  });

  test("shows a failure in place of the output", () => {
    const failure = { type: "E", message: "m", stackTrace: "s", nonRetriable: false };
    const shown = toDaprInstance({ ...instance, status: "failed", output: "1", failure });

    expect(shown.properties).toEqual({
      "dapr.workflow.failure.error_type": "E",
      "dapr.workflow.failure.error_message": "m",
      "dapr.workflow.failure.stack_trace": "s",
    });
  });
});
