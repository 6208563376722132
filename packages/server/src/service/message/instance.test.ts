// SPDX-License-Identifier: Apache-2.0

import type { Failure, Instance } from "@pawl/engine";
import { InstanceStatus, OrchestrationStatus, toTimestamp } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { toInstanceMessage } from "./instance.js";
import { toWorkflowState } from "./workflow-state.js";

const failure: Failure = {
  type: "E",
  message: "m",
  stackTrace: "s",
  nonRetriable: true,
  cause: { type: "C", message: "c", nonRetriable: false },
};

const bare: Instance = {
  instanceId: "a",
  workflow: "order",
  status: "pending",
  executionId: "e",
  generation: 2,
  createdAt: 1500,
  updatedAt: 2500,
  tags: {},
  historyLength: 3,
};

const full: Instance = {
  ...bare,
  status: "failed",
  startedAt: 1600,
  completedAt: 2500,
  startAt: 1550,
  input: "1",
  output: "2",
  customStatus: "3",
  failure,
  parentInstanceId: "p",
  tags: { k: "v" },
  version: "v2",
  stallReason: "r",
};

describe("toInstanceMessage()", () => {
  test("carries every field", () => {
    expect(toInstanceMessage(full)).toMatchObject({
      instanceId: "a",
      workflow: "order",
      status: InstanceStatus.FAILED,
      createdAt: toTimestamp(1500),
      startedAt: toTimestamp(1600),
      updatedAt: toTimestamp(2500),
      completedAt: toTimestamp(2500),
      startAt: toTimestamp(1550),
      input: "1",
      output: "2",
      customStatus: "3",
      failure,
      executionId: "e",
      parentInstanceId: "p",
      tags: { k: "v" },
      generation: 2,
      version: "v2",
      stallReason: "r",
      historyLength: 3,
    });
  });

  test("leaves out what is not there", () => {
    const message = toInstanceMessage(bare);
    for (const field of ["startedAt", "completedAt", "startAt", "input", "output", "failure"]) {
      expect(message[field as keyof typeof message]).toBeUndefined();
    }
  });
});

describe("toWorkflowState()", () => {
  test("carries every field", () => {
    expect(toWorkflowState(full, false)).toMatchObject({
      instanceId: "a",
      name: "order",
      version: "v2",
      workflowStatus: OrchestrationStatus.FAILED,
      scheduledStartTimestamp: toTimestamp(1550),
      createdTimestamp: toTimestamp(1500),
      lastUpdatedTimestamp: toTimestamp(2500),
      input: "1",
      output: "2",
      customStatus: "3",
      failureDetails: {
        errorType: "E",
        errorMessage: "m",
        stackTrace: "s",
        isNonRetriable: true,
        innerFailure: { errorType: "C", errorMessage: "c", isNonRetriable: false },
      },
      executionId: "e",
      completedTimestamp: toTimestamp(2500),
      parentInstanceId: "p",
      tags: { k: "v" },
      startedAt: toTimestamp(1600),
    });
  });

  test("leaves out what is not there", () => {
    const state = toWorkflowState(bare, false);
    expect(state.workflowStatus).toBe(OrchestrationStatus.PENDING);
    expect([state.input, state.failureDetails, state.startedAt]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
