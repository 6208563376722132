// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { useSystem } from "./system.ts";

const getSystem = useSystem("file");

describe("an external event", () => {
  test.each(["decision", "DECISION"])("named %s wins the race against the timer", async (name) => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("approval", 60);
    await system.client.raiseEvent(id, name, "approved");

    expect(await system.waitForOutput(id)).toBe("filed approved");
    expect(system.calls.of(id).map((call) => call.input)).toEqual(["approved"]);
  });

  test("that does not come loses the race against the timer", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("approval", 1);

    expect(await system.waitForOutput(id)).toBe("expired");
    expect(system.calls.of(id)).toEqual([]);
  });
});

describe("a timer", () => {
  test("fires no earlier than asked", async () => {
    const system = getSystem();
    const startMs = performance.now();
    const id = await system.client.scheduleNewWorkflow("nap", 2);
    const sleptSeconds = await system.waitForOutput(id);
    const waitedMs = performance.now() - startMs;

    expect(sleptSeconds).toBeGreaterThanOrEqual(2);
    expect(waitedMs).toBeGreaterThanOrEqual(2000);
  });
});

describe("continue-as-new", () => {
  test("hands its input to five generations", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("countdown", { left: 5, seen: [] });

    expect(await system.waitForOutput(id)).toEqual([6, 5, 4, 3, 2]);
    expect(system.calls.of(id).map((call) => call.input)).toEqual([5, 4, 3, 2, 1]);
  });

  test("keeps events that were not yet taken", async () => {
    const system = getSystem();
    const id = await system.client.scheduleNewWorkflow("collect", []);
    for (const item of ["first", "second", "third"]) {
      await system.client.raiseEvent(id, "item", item);
    }

    expect(await system.waitForOutput(id)).toEqual(["first", "second", "third"]);
  });
});
