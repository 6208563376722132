// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { WorkflowRuntimeStatus } from "@dapr/dapr";
import { describe, expect, test } from "vitest";
import { useSystem } from "./system.ts";

/** The number that gRPC gives to ALREADY_EXISTS. */
const alreadyExists = 6;

const getSystem = useSystem("file");

describe("terminate", () => {
  test("ends a waiting workflow with the given output", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("approval", 60);
    await system.client.terminateWorkflow(id, "stopped by the test");
    const state = await system.waitForEnd(id);

    expect(state.runtimeStatus).toBe(WorkflowRuntimeStatus.TERMINATED);
    expect(state.serializedOutput).toBe('"stopped by the test"');
    expect(system.calls.of(id)).toEqual([]);
  });

  test("leaves child workflows alone, since the SDK asks for no recursion", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("parentOfWaiting");
    const childId = `${id}-child`;
    await system.client.waitForWorkflowStart(childId, false, 30);
    await system.client.terminateWorkflow(id, undefined);
    expect((await system.waitForEnd(id)).runtimeStatus).toBe(WorkflowRuntimeStatus.TERMINATED);
    expect(await system.statusOf(childId)).toBe(WorkflowRuntimeStatus.RUNNING);

    await system.client.raiseEvent(childId, "decision", "approved");
    expect(await system.waitForOutput(childId)).toBe("filed approved");
  });
});

describe("suspend and resume", () => {
  test("an event raised while suspended is held until resume", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("approval", 60);
    await system.client.suspendWorkflow(id);
    expect(await system.statusOf(id)).toBe(WorkflowRuntimeStatus.SUSPENDED);

    await system.client.raiseEvent(id, "decision", "approved");
    await expect(system.client.waitForWorkflowCompletion(id, true, 2)).rejects.toThrow(
      "TimeoutError",
    );
    expect(await system.statusOf(id)).toBe(WorkflowRuntimeStatus.SUSPENDED);
    expect(system.calls.of(id)).toEqual([]);

    await system.client.resumeWorkflow(id);
    expect(await system.waitForOutput(id)).toBe("filed approved");
    expect(system.calls.of(id, "fileDecision")).toHaveLength(1);
  });

  test("a resumed workflow goes on waiting", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("approval", 60);
    await system.client.suspendWorkflow(id);
    await system.client.resumeWorkflow(id);
    expect(await system.statusOf(id)).toBe(WorkflowRuntimeStatus.RUNNING);

    await system.client.raiseEvent(id, "decision", "late");
    expect(await system.waitForOutput(id)).toBe("filed late");
  });
});

describe("purge", () => {
  test("makes a finished instance unknown", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("chain", 3);
    await system.waitForOutput(id);

    expect(await system.client.purgeWorkflow(id)).toBe(true);
    expect(await system.client.getWorkflowState(id, true)).toBeUndefined();
  });

  test("of a running instance is refused", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("approval", 60);

    await expect(system.client.purgeWorkflow(id)).rejects.toThrow();
    expect(await system.statusOf(id)).toBe(WorkflowRuntimeStatus.RUNNING);
  });
});

describe("start", () => {
  test("under the ID of an active instance is refused", async () => {
    const system = getSystem();
    const id = randomUUID();
    await system.client.scheduleNewWorkflow("approval", 60, id);
    await expect(system.client.scheduleNewWorkflow("chain", 3, id)).rejects.toMatchObject({
      code: alreadyExists,
      details: expect.stringContaining("already exists"),
    });

    await system.client.raiseEvent(id, "decision", "approved");
    expect(await system.waitForOutput(id)).toBe("filed approved");
    expect(system.calls.of(id).map((call) => call.activity)).toEqual(["fileDecision"]);
  });

  test("under the ID of a finished instance begins a new one", async () => {
    const system = getSystem();
    const id = randomUUID();
    await system.client.scheduleNewWorkflow("chain", 3, id);
    expect(await system.waitForOutput(id)).toEqual([4, 8, 64]);
    await system.client.scheduleNewWorkflow("chain", 1, id);

    expect(await system.waitForOutput(id)).toEqual([2, 4, 16]);
    expect(system.calls.of(id, "addOne").map((call) => call.input)).toEqual([3, 1]);
  });
});
