// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { WorkflowRuntimeStatus } from "@dapr/dapr";
import { describe, expect, test } from "vitest";
import { createClient, useSystem } from "./system.ts";

const getSystem = useSystem("file");

describe("activities", () => {
  test("a chain of three passes each result on", async () => {
    const system = getSystem();
    const id = randomUUID();
    const returnedId = await system.client.scheduleNewWorkflow("chain", 3, id);
    const state = await system.waitForEnd(id);

    expect(returnedId).toBe(id);
    expect(state.runtimeStatus).toBe(WorkflowRuntimeStatus.COMPLETED);
    expect(state.name).toBe("chain");
    expect(state.serializedInput).toBe("3");
    expect(state.serializedOutput).toBe("[4,8,64]");
    expect(state.customStatus).toBe("squaring");
    expect(state.workflowFailureDetails).toBeUndefined();
    expect(system.calls.of(id).map((call) => [call.activity, call.input])).toEqual([
      ["addOne", 3],
      ["double", 4],
      ["square", 8],
    ]);
  });

  test("a chain runs for a client on the second port", async () => {
    const system = getSystem();
    const client = createClient(system.server.grpcPort);
    const id = await client.scheduleNewWorkflow("chain", 1);
    const state = await client.waitForWorkflowCompletion(id, true, 30);
    await client.stop();

    expect(state?.serializedOutput).toBe("[2,4,16]");
  });

  test("a fan-out calls 100 activities once each", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("fanOut", 100);

    expect(await system.waitForOutput(id)).toBe(338_350);
    const inputs = system.calls.of(id, "square").map((call) => Number(call.input));
    expect(inputs.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });

  test("a workflow retries a failing activity by itself with a timer", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("retriedByTimer", "done");

    expect(await system.waitForOutput(id)).toBe("done at attempt 3");
    const attempts = system.calls.of(id, "failTwice");
    expect(attempts.map((call) => call.input)).toEqual(["done", "done", "done"]);
    const [first, second, third] = attempts.map((call) => call.atMs) as [number, number, number];
    expect(second - first).toBeGreaterThanOrEqual(500);
    expect(third - second).toBeGreaterThanOrEqual(1000);
  });
});

describe("child workflows", () => {
  test("return their results to the parent", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("parent", [1, 2, 3]);
    const childId = `${id}-child`;

    expect(await system.waitForOutput(id)).toEqual([
      [2, 4, 16],
      [3, 6, 36],
      [4, 8, 64],
    ]);
    expect(await system.waitForOutput(childId)).toEqual([2, 4, 16]);
    expect(system.calls.of(childId).map((call) => call.activity)).toEqual([
      "addOne",
      "double",
      "square",
    ]);
    expect(system.calls.of(id)).toEqual([]);
  });

  test("report a failure that the parent catches", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("parentOfBroken");

    expect(await system.waitForOutput(id)).toBe("caught NoLuckError: child has no luck");
  });
});
