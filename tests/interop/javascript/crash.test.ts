// SPDX-License-Identifier: Apache-2.0

import { WorkflowRuntimeStatus } from "@dapr/dapr";
import { describe, expect, test } from "vitest";
import { type System, useSystem } from "./system.ts";

const getSystem = useSystem("test");

/**
 * Kills the server and starts it again, and the worker too: the SDK (3.18.0) gives up for good
 * when the first stream of a worker breaks, and the process ends; whoever runs it starts it anew.
 */
async function killServerUnderFirstStream(system: System): Promise<void> {
  await system.server.kill();
  system.gate.open(); // An activity still held would keep the worker's process alive.
  await system.worker.waitForExit();
  await system.server.start();
  await system.worker.start();
}

describe("after its worker was killed in an activity", () => {
  test("the workflow finishes on the worker started next", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("gated", 1);
    await system.calls.waitFor(id, "passGate");
    await system.worker.kill();
    expect(await system.statusOf(id)).toBe(WorkflowRuntimeStatus.RUNNING);

    system.gate.open();
    await system.worker.start();
    expect(await system.waitForOutput(id)).toEqual([2, 20, 40]);
    const [first, second, ...more] = system.calls.of(id, "passGate");
    expect(more).toEqual([]);
    expect(first?.pid).not.toBe(second?.pid);
    expect(system.calls.of(id, "addOne").map((call) => call.input)).toEqual([1]);
    expect(system.calls.of(id, "double").map((call) => call.input)).toEqual([20]);
  });
});

describe("after the server was stopped and started", () => {
  test("a worker reconnects by itself, and again when the server is killed", async () => {
    const system = getSystem();
    const connectedId = await system.client.scheduleNewWorkflow("chain", 3);
    expect(await system.waitForOutput(connectedId)).toEqual([4, 8, 64]);
    await system.server.stop();
    await system.server.start();
    const reconnectedId = await system.client.scheduleNewWorkflow("chain", 3);
    expect(await system.waitForOutput(reconnectedId)).toEqual([4, 8, 64]);

    const id = await system.client.scheduleNewWorkflow("gated", 1);
    await system.calls.waitFor(id, "passGate");
    await system.server.kill();
    system.gate.open();
    await system.server.start();
    expect(await system.waitForOutput(id)).toEqual([2, 20, 40]);
    const { calls } = system;
    // The result of the activity may be lost with the server; then it is called once more.
    expect([1, 2]).toContain(calls.of(id, "passGate").length);
    expect(calls.of(id, "addOne").map((call) => call.input)).toEqual([1]);
    expect(calls.of(id, "double").map((call) => call.input)).toEqual([20]);
    expect(new Set(calls.of(id).map((call) => call.pid)).size).toBe(1);
  });
});

describe("after the server was killed", () => {
  test("a workflow in an activity finishes once its worker is started anew", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("gated", 1);
    await system.calls.waitFor(id, "passGate");
    await killServerUnderFirstStream(system);

    expect(await system.waitForOutput(id)).toEqual([2, 20, 40]);
    const { calls } = system;
    expect([1, 2]).toContain(calls.of(id, "passGate").length);
    expect(calls.of(id, "addOne").map((call) => call.input)).toEqual([1]);
    expect(calls.of(id, "double").map((call) => call.input)).toEqual([20]);
  });

  test("timers still fire and finished results are still there", async () => {
    const system = getSystem();
    const finishedId = await system.client.scheduleNewWorkflow("chain", 3);
    expect(await system.waitForOutput(finishedId)).toEqual([4, 8, 64]);
    const id = await system.client.scheduleNewWorkflow("nap", 3);
    await expect(system.client.waitForWorkflowCompletion(id, true, 1)).rejects.toThrow(
      "TimeoutError",
    );
    await killServerUnderFirstStream(system);

    expect(await system.waitForOutput(id)).toBeGreaterThanOrEqual(3);
    expect(await system.waitForOutput(finishedId)).toEqual([4, 8, 64]);
    expect(system.calls.of(finishedId)).toHaveLength(3);
  });

  test("an event raised before is not lost", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("approval", 60);
    await system.client.suspendWorkflow(id);
    await system.client.raiseEvent(id, "decision", "approved");
    await killServerUnderFirstStream(system);
    expect(await system.statusOf(id)).toBe(WorkflowRuntimeStatus.SUSPENDED);

    await system.client.resumeWorkflow(id);
    expect(await system.waitForOutput(id)).toBe("filed approved");
    expect(system.calls.of(id).map((call) => call.input)).toEqual(["approved"]);
  });
});
