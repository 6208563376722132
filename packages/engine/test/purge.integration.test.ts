// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { child, complete, schedule, timer, versionNotAvailable } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { tick } from "./manual-clock.js";
import { EngineUnderTest } from "./open-engine.js";
import type { Workflow } from "./replay.js";

/** Two children, the first of which has a child of its own. */
const family: Workflow = function* (context) {
  yield [context.child("parent", "c1", "echo g1"), context.child("echo", "c2")];
  return "done";
};

async function openFamily(): Promise<EngineUnderTest> {
  const under = await EngineUnderTest.open();
  under.connect({ flows: { ...flows, family }, tasks });
  await under.engine.start({ workflow: "family", instanceId: "f" });
  await under.engine.waitForCompletion("f");
  return under;
}

describe("purge()", () => {
  test("deletes an ended instance and all that is kept of it", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, tasks });
    await under.engine.start({ workflow: "chain", instanceId: "a", input: "x" });
    await under.engine.waitForCompletion("a");
    expect(await under.engine.purge("a")).toBe(1);
    expect(await under.engine.get("a")).toBeUndefined();
    await expect(under.engine.history("a")).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
    expect(await under.left()).toBe(0);
    await under.engine.close();
  });

  test("deletes children and grandchildren too", async () => {
    const under = await openFamily();
    expect(await under.engine.purge("f")).toBe(4);
    expect(await under.left()).toBe(0);
    await under.engine.close();
  });

  test("skips children that are gone already", async () => {
    const under = await openFamily();
    expect(await under.engine.purge("c1")).toBe(2);
    expect(await under.engine.purge("f")).toBe(2);
    expect(await under.left()).toBe(0);
    await under.engine.close();
  });

  test("leaves the children when it is not recursive", async () => {
    const under = await openFamily();
    expect(await under.engine.purge("f", { recursive: false })).toBe(1);
    expect((await under.engine.list()).instances).toHaveLength(3);
    await under.engine.close();
  });

  test("refuses an instance that has not ended, and deletes nothing", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    await expect(under.engine.purge("a")).rejects.toMatchObject({ code: "INSTANCE_NOT_ENDED" });
    expect((await under.engine.get("a"))?.status).toBe("running");
    await under.engine.close();
  });

  test("refuses when a descendant has not ended, and deletes nothing", async () => {
    const under = await EngineUnderTest.open();
    // biome-ignore lint/correctness/useYield: it waits for nothing
    const leaves: Workflow = function* (context) {
      context.child("echo", "c1");
      context.child("gather", "c2", "1");
      return "done";
    };
    under.connect({ flows: { ...flows, leaves } });
    await under.engine.start({ workflow: "leaves", instanceId: "p" });
    await under.engine.waitForStart("c2");
    await under.engine.idle();
    await expect(under.engine.purge("p")).rejects.toMatchObject({
      code: "INSTANCE_NOT_ENDED",
      details: { instanceId: "c2" },
    });
    expect((await under.engine.list()).instances).toHaveLength(3);
    await under.engine.close();
  });

  test("deletes no instance that was started anew since it was asked for", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    for (let ticks = 0; ticks < 40; ticks += 1) {
      const instanceId = `i-${ticks}`;
      await under.engine.start({ workflow: "echo", instanceId });
      await under.engine.waitForCompletion(instanceId);
      const purging = under.engine.purge(instanceId).catch((error: { code: string }) => error.code);
      for (let count = 0; count < ticks; count += 1) await tick();
      await under.engine.start({ workflow: "gather", instanceId, input: "1" });
      expect([0, 1, "INSTANCE_NOT_ENDED"]).toContain(await purging);
      await under.engine.idle();
      expect((await under.engine.get(instanceId))?.status).toBe("running");
    }
    await under.engine.close();
  });

  test("refuses an id that nobody has, with force too", async () => {
    const under = await EngineUnderTest.open();
    for (const force of [false, true]) {
      await expect(under.engine.purge("nobody", { force })).rejects.toMatchObject({
        code: "INSTANCE_NOT_FOUND",
      });
    }
    await under.engine.close();
  });

  test("takes a whole tree of running instances with force", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "parent", instanceId: "p", input: "gather c 1" });
    await under.engine.waitForStart("c");
    await under.engine.idle();
    expect(await under.engine.purge("p", { force: true })).toBe(2);
    expect(await under.left()).toBe(0);
    await under.engine.close();
  });

  test("takes a stalled instance with force", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [versionNotAvailable(0)]);
    expect(await under.engine.purge("a", { force: true })).toBe(1);
    expect(await under.left()).toBe(0);
    await under.engine.close();
  });
});

describe("a forced purge of an instance at work", () => {
  test("makes the turn in flight stale", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const turn = await worker.turn();
    await under.engine.purge("a", { force: true });
    await worker.completeTurn(turn, [schedule(0, "double")]);
    expect(await under.engine.get("a")).toBeUndefined();
    await under.engine.idle();
    expect(worker.activities).toEqual([]);
    expect(await under.left()).toBe(0);
    await under.engine.close();
  });

  test("gives the worker's place to the next instance", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ turnLimit: 1 });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.turn();
    await under.engine.start({ workflow: "w", instanceId: "b" });
    await under.engine.purge("a", { force: true });
    expect((await worker.turn(2)).instanceId).toBe("b");
    await under.engine.close();
  });

  test("makes results of its activities stale, and drops those that wait", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ activityLimit: 1 });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [schedule(0, "double"), schedule(1, "double")]);
    const running = await worker.activity();
    await under.engine.purge("a", { force: true });
    await worker.completeActivity(running, { output: "1" });
    await under.engine.idle();
    expect(worker.activities).toHaveLength(1);
    expect(await under.left()).toBe(0);
    await under.engine.close();
  });

  test("lets the id be used again at once, by another workflow", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "old", instanceId: "a" });
    await under.engine.purge("a", { force: true });
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "x" });
    const wrong = under.connect({ workflows: ["old"] });
    under.connect({ workflows: ["echo"], flows });
    expect((await under.engine.waitForCompletion("a")).output).toBe("x");
    expect(wrong.items).toEqual([]);
    await under.engine.close();
  });

  test("arms the timers of the next one, though they have the same numbers", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [timer(0, 1_005_000)]);
    const gate = under.faults.hold("write");
    const busy = under.engine.start({ workflow: "other", instanceId: "b" });
    while (gate.waiting() === 0) await nextTick();
    // Purge, start and turn go into one commit, behind the one that is held.
    const purged = under.engine.purge("a", { force: true });
    for (let turn = 0; turn < 5; turn += 1) await nextTick();
    const started = under.engine.start({ workflow: "w", instanceId: "a" });
    const turn = await worker.turn(3);
    const done = worker.completeTurn(turn, [timer(0, 1_009_000)]);
    gate.release();
    await Promise.all([busy, purged, started, done]);
    expect(turn.instanceId).toBe("a");
    expect(await under.engine.nextTimerAt()).toBe(1_009_000);
    under.clock.moveTo(1_009_000);
    expect((await worker.turn(4)).instanceId).toBe("a");
    await under.engine.close();
  });
});

describe("an id that has been used", () => {
  test("starts anew after the end, as the next generation with a history of its own", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, tasks });
    await under.engine.start({ workflow: "chain", instanceId: "a", input: "x" });
    await under.engine.waitForCompletion("a");
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "y" });
    expect(await under.engine.waitForCompletion("a")).toMatchObject({
      workflow: "echo",
      generation: 2,
      output: "y",
      historyLength: 3,
    });
    await under.engine.purge("a");
    expect(await under.left()).toBe(0);
    await under.engine.close();
  });

  test("is refused while its instance goes on", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await expect(under.engine.start({ workflow: "w", instanceId: "a" })).rejects.toMatchObject({
      code: "INSTANCE_EXISTS",
    });
    await under.engine.close();
  });

  test("is given to one of many who ask at once", async () => {
    const under = await EngineUnderTest.open();
    const asked = Array.from({ length: 20 }, () =>
      under.engine.start({ workflow: "w", instanceId: "a" }),
    );
    const answers = await Promise.allSettled(asked);
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await under.engine.close();
  });

  test("is refused for ever when ids are to be unique, until it is purged", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    const command = { workflow: "echo", instanceId: "a", enforceUniqueInstanceId: true };
    await under.engine.start(command);
    await under.engine.waitForCompletion("a");
    await expect(under.engine.start(command)).rejects.toMatchObject({ code: "INSTANCE_EXISTS" });
    await under.engine.purge("a");
    await under.engine.start(command);
    expect((await under.engine.waitForCompletion("a")).generation).toBe(1);
    await under.engine.close();
  });

  test("is refused while a child below it goes on", async () => {
    const under = await EngineUnderTest.open();
    // biome-ignore lint/correctness/useYield: it waits for nothing
    const leaves: Workflow = function* (context) {
      context.child("gather", "c", "1");
      return "done";
    };
    under.connect({ flows: { ...flows, leaves } });
    await under.engine.start({ workflow: "leaves", instanceId: "p" });
    await under.engine.waitForStart("c");
    await under.engine.idle();
    await expect(under.engine.start({ workflow: "echo", instanceId: "p" })).rejects.toMatchObject({
      code: "INSTANCE_EXISTS",
      message: expect.stringContaining("'c'"),
    });
    await under.engine.terminate("c");
    await under.engine.waitForCompletion("c");
    await under.engine.start({ workflow: "echo", instanceId: "p" });
    await under.engine.close();
  });

  test.each([
    ["is about to leave", "write"],
    ["is on its way", "get"],
  ] as const)("is refused while the start of a child below it %s", async (_, call) => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "p" });
    const turn = await worker.turn();
    const gate = under.faults.hold(call);
    const ended = worker.completeTurn(turn, [child(0, "w", "c"), complete(1)]);
    while (gate.waiting() === 0) await nextTick();
    const again = under.engine.start({ workflow: "w", instanceId: "p" });
    const refused = expect(again).rejects.toMatchObject({
      code: "INSTANCE_EXISTS",
      message: expect.stringContaining("'c'"),
    });
    gate.release();
    await Promise.all([ended, refused]);
    expect((await worker.turn(2)).instanceId).toBe("c");
    await under.engine.close();
  });
});
