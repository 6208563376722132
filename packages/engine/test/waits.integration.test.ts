// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Instance } from "../src/port/management.js";
import { complete } from "./actions.js";
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
    const watching = collect(under.engine.watch("a"));
    await under.engine.close();
    await expect(waiting).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    await expect(watching).rejects.toHaveProperty("code");
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

async function collect(states: AsyncIterable<Instance>): Promise<Instance[]> {
  const seen: Instance[] = [];
  for await (const state of states) seen.push(state);
  return seen;
}

describe("watch()", () => {
  test("gives the present state and each newer one, and ends with the end", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const states = under.engine.watch("a")[Symbol.asyncIterator]();
    expect((await states.next()).value).toMatchObject({ status: "pending" });
    await worker.completeTurn(await worker.turn(), [], { customStatus: "one" });
    expect((await states.next()).value).toMatchObject({ status: "running", customStatus: "one" });
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(2), [complete(0, "x")]);
    expect((await states.next()).value).toMatchObject({ status: "completed", output: "x" });
    expect(await states.next()).toEqual({ done: true, value: undefined });
    await under.engine.close();
  });

  test("gives a slow reader the newest state, not all of them", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, tasks });
    await under.engine.start({ workflow: "chain", instanceId: "a", input: "x" });
    const states = under.engine.watch("a")[Symbol.asyncIterator]();
    await states.next();
    await under.engine.waitForCompletion("a");
    expect((await states.next()).value).toMatchObject({ status: "completed" });
    expect((await states.next()).done).toBe(true);
    await under.engine.close();
  });

  test("has the one state of an ended instance", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "echo", instanceId: "a" });
    await under.engine.waitForCompletion("a");
    expect(await collect(under.engine.watch("a"))).toHaveLength(1);
    await under.engine.close();
  });

  test("ends when the instance is purged", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const watching = collect(under.engine.watch("a"));
    await nextTick();
    await under.engine.purge("a", { force: true });
    expect(await watching).toHaveLength(1);
    await under.engine.close();
  });

  test("ends with CANCELLED when it is aborted", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const controller = new AbortController();
    const watching = collect(under.engine.watch("a", { signal: controller.signal }));
    await nextTick();
    controller.abort();
    await expect(watching).rejects.toMatchObject({ code: "CANCELLED" });
    const aborted = collect(under.engine.watch("a", { signal: controller.signal }));
    await expect(aborted).rejects.toMatchObject({ code: "CANCELLED" });
    await under.engine.close();
  });

  test("refuses an id that nobody has", async () => {
    const under = await EngineUnderTest.open();
    await expect(collect(under.engine.watch("nobody"))).rejects.toMatchObject({
      code: "INSTANCE_NOT_FOUND",
    });
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
    await worker.completeTurn(await worker.turn(2), [], { customStatus: "" });
    expect((await under.engine.get("a"))?.customStatus).toBe("");
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(3), []);
    expect(await under.engine.get("a")).not.toHaveProperty("customStatus");
    await under.engine.close();
  });
});
