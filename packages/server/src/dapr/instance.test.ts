// SPDX-License-Identifier: Apache-2.0

import type { Instance } from "@pawl/engine";
import { describe, expect, test } from "vitest";
import { toDaprInstance } from "./instance.js";

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
    expect(toDaprInstance({ ...instance, status }, false).runtimeStatus).toBe(runtimeStatus);
  });

  test("has a word for a stall, unless it must be Dapr's", () => {
    const stalled = { ...instance, status: "stalled" } as const;
    const shown = [false, true].map((strict) => toDaprInstance(stalled, strict).runtimeStatus);
    expect(shown).toEqual(["STALLED", "UNKNOWN"]);
    expect(toDaprInstance(instance, true).runtimeStatus).toBe("RUNNING");
  });

  test.each([
    ["pending", [undefined, undefined]],
    ["stalled", [undefined, 2]],
  ] as const)(
    "shows, as Dapr does, nothing of one that is %s before its first turn",
    (status, times) => {
      const shown = toDaprInstance({ ...instance, status, input: "1" }, true);
      expect([shown.createdAt, shown.lastUpdatedAt]).toEqual(times);
      expect([shown.workflowName, shown.properties]).toEqual(["", {}]);
    },
  );

  test("shows what is known of one that is stalled later", () => {
    const stalled = { ...instance, status: "stalled", startedAt: 1, input: "1" } as const;
    expect(toDaprInstance(stalled, true)).toEqual({
      ...{ instanceId: "a", workflowName: "order", createdAt: 1, lastUpdatedAt: 2 },
      runtimeStatus: "UNKNOWN",
      properties: { "dapr.workflow.input": "1" },
    });
  });

  test("shows payloads, also empty ones", () => {
    const shown = toDaprInstance(
      { ...instance, input: "", output: "1", customStatus: '"s"' },
      false,
    );

    expect(shown.properties).toEqual({
      "dapr.workflow.input": "",
      "dapr.workflow.output": "1",
      "dapr.workflow.custom_status": '"s"',
    });
  });

  test("shows a failure in place of the output", () => {
    const failure = { type: "E", message: "m", stackTrace: "s", nonRetriable: false };
    const shown = toDaprInstance({ ...instance, status: "failed", output: "1", failure }, false);

    expect(shown.properties).toEqual({
      "dapr.workflow.failure.error_type": "E",
      "dapr.workflow.failure.error_message": "m",
      "dapr.workflow.failure.stack_trace": "s",
    });
  });
});
