// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";

describe("a wait", () => {
  test("for an id that nobody has waits until it is started", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    const started = under.engine.waitForStart("a");
    const ended = under.engine.waitForCompletion("a");
    await under.engine.idle();
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "x" });
    expect((await started).instanceId).toBe("a");
    expect((await ended).output).toBe("x");
    await under.engine.close();
  });

  test("for what is so already answers at once", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "x" });
    const ended = await under.engine.waitForCompletion("a");
    expect(await under.engine.waitForCompletion("a")).toEqual(ended);
    expect(await under.engine.waitForStart("a")).toEqual(ended);
    await under.engine.close();
  });

  test("for any condition ends with the first durable state that has it", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const waiting = under.engine.waitUntil("a", ({ customStatus }) => customStatus === "two");
    for (const [index, customStatus] of ["one", "two", "three"].entries()) {
      await worker.completeTurn(await worker.turn(index + 1), [], { customStatus });
      await under.engine.raiseEvent("a", "go");
    }
    expect((await waiting).customStatus).toBe("two");
    await under.engine.close();
  });

  test("leaves payloads out when they are not asked for", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "x" });
    const ended = await under.engine.waitForCompletion("a", { payloads: false });
    expect(ended).not.toHaveProperty("input");
    expect(ended).not.toHaveProperty("output");
    await under.engine.close();
  });

  test.each(["before", "after"])(
    "ends with CANCELLED when it is aborted %s it began",
    async (when) => {
      const under = await EngineUnderTest.open();
      const controller = new AbortController();
      if (when === "before") controller.abort();
      const waiting = under.engine.waitForCompletion("a", { signal: controller.signal });
      if (when === "after") controller.abort();
      await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
      await under.engine.close();
    },
  );

  test("ends with SHUTTING_DOWN when the engine closes", async () => {
    const under = await EngineUnderTest.open();
    const waiting = under.engine.waitForCompletion("a");
    await under.engine.close();
    await expect(waiting).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
  });

  test("ends with what its condition throws, and harms nobody else", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, tasks });
    const waiting = under.engine.waitUntil("a", () => {
      throw new Error("a fault of the caller's");
    });
    const refusal = expect(waiting).rejects.toThrow("a fault of the caller's");
    const other = under.engine.waitForCompletion("a");
    await under.engine.start({ workflow: "chain", instanceId: "a", input: "x" });
    await refusal;
    expect((await other).status).toBe("completed");
    await under.engine.close();
  });

  test("goes on over a purge, until the id is used again", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    await under.engine.idle();
    const waiting = under.engine.waitForCompletion("a");
    await under.engine.purge("a", { force: true });
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "again" });
    expect((await waiting).output).toBe("again");
    await under.engine.close();
  });
});

describe("the custom status", () => {
  test("is what the newest turn gave, and gone when it gave none", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [], { customStatus: '"one"' });
    expect((await under.engine.get("a"))?.customStatus).toBe('"one"');
    await under.engine.raiseEvent("a", "go");
    // The event is in the inbox; history has not changed.
    expect((await under.engine.get("a"))?.customStatus).toBe('"one"');
    await worker.completeTurn(await worker.turn(2), [], { customStatus: "" });
    expect((await under.engine.get("a"))?.customStatus).toBe("");
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(3), []);
    expect(await under.engine.get("a")).not.toHaveProperty("customStatus");
    await under.engine.close();
  });
});
