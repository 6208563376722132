// SPDX-License-Identifier: Apache-2.0

import { WorkflowRuntimeStatus } from "@dapr/dapr";
import { describe, expect, test } from "vitest";
import { useSystem } from "./system.ts";

const getSystem = useSystem("file");

describe("a failed workflow", () => {
  test("shows type, message and stack of its error", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("broken", "no luck today");
    const state = await system.waitForEnd(id);

    expect(state.runtimeStatus).toBe(WorkflowRuntimeStatus.FAILED);
    expect(state.workflowFailureDetails?.getErrorType()).toBe("NoLuckError");
    expect(state.workflowFailureDetails?.getErrorMessage()).toBe("no luck today");
    expect(state.workflowFailureDetails?.getStackTrace()).toContain("worker.mjs");
  });

  test("shows the message of an activity that nobody caught", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("uncaught", "disk on fire");
    const state = await system.waitForEnd(id);

    expect(state.runtimeStatus).toBe(WorkflowRuntimeStatus.FAILED);
    expect(state.workflowFailureDetails?.getErrorMessage()).toContain("disk on fire");
    expect(system.calls.of(id, "failAlways")).toHaveLength(1);
  });

  test("is one that no worker knows", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("nobodyWroteThis");
    const state = await system.waitForEnd(id);

    expect(state.runtimeStatus).toBe(WorkflowRuntimeStatus.FAILED);
    expect(state.workflowFailureDetails?.getErrorMessage()).toContain("nobodyWroteThis");
  });
});
