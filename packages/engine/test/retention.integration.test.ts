// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test, vi } from "vitest";
import { executionKey } from "../src/store/key.js";
import { put, type Store } from "../src/store/store.js";
import { problemsOf } from "../src/testing/check-store.js";
import { complete, fail, failure, schedule, timer } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { tick } from "./manual-clock.js";
import { EngineUnderTest } from "./open-engine.js";
import type { Workflow } from "./replay.js";

const hour = 3_600_000;

/** One instance of each end: "completed", "failed" and "terminated". */
async function oneOfEach(under: EngineUnderTest): Promise<void> {
  const worker = under.connect({});
  for (const [index, instanceId] of ["completed", "failed", "terminated"].entries()) {
    await under.engine.start({ workflow: "w", instanceId });
    const turn = await worker.turn(index + 1);
    if (instanceId === "terminated") await under.engine.terminate(instanceId);
    const end = instanceId === "failed" ? fail(0, failure("E", "m")) : complete(0);
    await worker.completeTurn(turn, instanceId === "terminated" ? [] : [end]);
    if (instanceId === "terminated") await worker.completeTurn(await worker.turn(4), []);
  }
  worker.close();
}

describe("retention", () => {
  test("keeps everything when nothing is set", async () => {
    const under = await EngineUnderTest.open();
    await oneOfEach(under);
    await under.pass(10_000 * hour);
    expect(await under.ids()).toHaveLength(3);
    await under.engine.close();
  });

  test("deletes each status after its own time, never before", async () => {
    const retention = { completedMs: hour, failedMs: 2 * hour, anyMs: 3 * hour };
    const under = await EngineUnderTest.open({ retention });
    await oneOfEach(under);
    await under.pass(hour - 1);
    expect(await under.ids()).toHaveLength(3);
    await under.pass(1001);
    expect(await under.ids()).toEqual(["failed", "terminated"]);
    await under.pass(hour);
    expect(await under.ids()).toEqual(["terminated"]);
    await under.pass(hour);
    expect(await under.ids()).toEqual([]);
    expect(await under.left()).toBe(0);
    await under.engine.close();
  });

  test("deletes at once, within a second, where the time is 0", async () => {
    const under = await EngineUnderTest.open({ retention: { anyMs: 0 } });
    under.connect({ flows, tasks });
    for (let round = 0; round < 3; round += 1) {
      await under.engine.start({ workflow: "chain", instanceId: "a", input: "x" });
      expect((await under.engine.waitForCompletion("a")).generation).toBe(1);
      await under.engine.idle();
      await under.pass(1000);
      expect(await under.engine.get("a")).toBeUndefined();
    }
    expect(await under.left()).toBe(0);
    await under.engine.close();
  });

  test("takes the times of a workflow before those of all", async () => {
    const retention = { anyMs: hour, byWorkflow: { echo: { anyMs: 5 * hour } } };
    const under = await EngineUnderTest.open({ retention });
    under.connect({ flows, tasks });
    await under.engine.start({ workflow: "echo", instanceId: "a" });
    await under.engine.start({ workflow: "chain", instanceId: "b" });
    await under.engine.waitForCompletion("b");
    await under.pass(2 * hour);
    expect(await under.ids()).toEqual(["a"]);
    await under.pass(4 * hour);
    expect(await under.ids()).toEqual([]);
    await under.engine.close();
  });

  test("counts for what ended before it was set, and other times for what was kept", async () => {
    const under = await EngineUnderTest.open();
    await oneOfEach(under);
    await under.pass(10 * hour);
    const longer = await under.crash({ retention: { anyMs: 20 * hour } });
    expect(await longer.ids()).toHaveLength(3);
    const shorter = await longer.crash({ retention: { completedMs: hour, failedMs: 11 * hour } });
    await shorter.pass(1000);
    expect(await shorter.ids()).toEqual(["failed", "terminated"]);
    await shorter.pass(hour);
    expect(await shorter.ids()).toEqual(["terminated"]);
    await shorter.engine.close();
  });

  test("leaves what has not ended alone, however old it is", async () => {
    const under = await EngineUnderTest.open({ retention: { anyMs: hour } });
    under.connect({ flows, tasks });
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    await under.pass(100 * hour);
    expect(await under.ids()).toEqual(["a"]);
    await under.engine.raiseEvent("a", "go");
    await under.engine.waitForCompletion("a");
    await under.pass(hour - 1);
    expect(await under.ids()).toEqual(["a"]);
    await under.pass(1001);
    expect(await under.ids()).toEqual([]);
    await under.engine.close();
  });

  test("deletes an execution whose id is used again before its end is on disk", async () => {
    const under = await EngineUnderTest.open({ retention: { anyMs: hour } });
    // It has looked, and found nothing to wait for.
    await under.pass(0);
    await under.pass(0);
    const worker = under.connect({});
    const { executionId } = await under.engine.start({ workflow: "w", instanceId: "a" });
    const turn = await worker.turn();
    const gate = under.faults.hold("write");
    const ended = worker.completeTurn(turn, [complete(0)]);
    await expect.poll(() => gate.waiting()).toBe(1);
    const again = under.engine.start({ workflow: "w", instanceId: "a" });
    await tick();
    gate.release();
    await Promise.all([ended, again]);
    await worker.completeTurn(await worker.turn(2), []);
    expect(await under.engine.get("a", { executionId })).toMatchObject({ status: "completed" });
    await under.pass(hour + 1000);
    expect(await under.engine.get("a", { executionId })).toBeUndefined();
    expect(await under.ids()).toEqual(["a"]);
    await under.engine.close();
  });

  test("gives children times of their own, and takes nobody below with it", async () => {
    const retention = { byWorkflow: { parent: { anyMs: hour }, echo: { anyMs: 3 * hour } } };
    const under = await EngineUnderTest.open({ retention });
    under.connect({ flows, tasks });
    await under.engine.start({ workflow: "parent", instanceId: "p", input: "echo c x" });
    await under.engine.waitForCompletion("p");
    await under.pass(2 * hour);
    expect(await under.ids()).toEqual(["c"]);
    await under.pass(2 * hour);
    expect(await under.ids()).toEqual([]);
    await under.engine.close();
  });

  test("lets activities run that were not waited for", async () => {
    const under = await EngineUnderTest.open({ retention: { anyMs: 0 } });
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [schedule(0, "late"), complete(1)]);
    const activity = await worker.activity();
    for (let round = 0; round < 3; round += 1) {
      under.clock.advance(hour);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await under.engine.get("a"))?.status).toBe("completed");
    await worker.completeActivity(activity);
    await under.pass(2000);
    expect(await under.ids()).toEqual([]);
    expect(await under.left()).toBe(0);
    await under.engine.close();
  });

  test.each([
    ["at once", false],
    ["after a restart", true],
  ])(
    "waits for no activity whose result came while the instance ended, %s",
    async (_, restarts) => {
      const under = await EngineUnderTest.open({ retention: { anyMs: 0 } });
      const worker = under.connect({});
      await under.engine.start({ workflow: "w", instanceId: "a" });
      await worker.completeTurn(await worker.turn(), [schedule(0, "late")]);
      const activity = await worker.activity();
      await under.engine.raiseEvent("a", "go");
      const last = await worker.turn(2);
      await worker.completeActivity(activity);
      await worker.completeTurn(last, [complete(1)]);
      expect(await problemsOf(under.faults.behind, under.clock.now())).toEqual([]);
      const now = restarts ? await under.crash({ retention: { anyMs: 0 } }) : under;
      await now.pass(2000);
      expect(await now.ids()).toEqual([]);
      expect(await now.left()).toBe(0);
      await now.engine.close();
    },
  );

  test("deletes an older execution after its own time, and the rest with the present one", async () => {
    const retention = { completedMs: 2 * hour, failedMs: 9 * hour };
    const under = await EngineUnderTest.open({ retention });
    under.connect({ flows, tasks });
    const executionIds: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const { executionId } = await under.engine.start({ workflow: "echo", instanceId: "a" });
      executionIds.push(executionId);
      await under.engine.waitForCompletion("a");
      await under.pass(hour);
    }
    await under.pass(1000);
    const { instances } = await under.engine.executions("a");
    expect(instances.map(({ executionId }) => executionId)).toEqual([executionIds[2]]);
    await under.pass(hour);
    expect(await under.left()).toBe(0);
    await under.engine.close();
  });

  test("deletes each execution by its own end and time; the newest that is left is the present", async () => {
    const retention = { completedMs: 9 * hour, failedMs: hour };
    const under = await EngineUnderTest.open({ retention });
    const worker = under.connect({});
    const executionIds: string[] = [];
    const ends = [complete(0, '"kept"'), complete(0), fail(0, failure("E", "m"))];
    for (const [index, end] of [...ends, fail(0, failure("E", "n"))].entries()) {
      const { executionId } = await under.engine.start({ workflow: "w", instanceId: "a" });
      executionIds.push(executionId);
      await worker.completeTurn(await worker.turn(index + 1), [end]);
      under.clock.advance(1000);
    }
    const left = async () =>
      (await under.engine.executions("a")).instances.map(({ executionId }) => executionId);
    expect(await left()).toEqual([...executionIds].reverse());
    await under.pass(hour + 2000);
    expect(await left()).toEqual([executionIds[1], executionIds[0]]);
    expect(await under.engine.get("a")).toMatchObject({ status: "completed", generation: 2 });
    expect((await under.engine.list({ statuses: ["failed"] })).instances).toEqual([]);
    expect((await under.engine.list({ statuses: ["completed"] })).instances).toHaveLength(1);
    expect(await problemsOf(under.faults.behind, under.clock.now())).toEqual([]);
    const again = await under.crash({ retention });
    const other = again.connect({});
    const older = { executionId: executionIds[0] ?? "" };
    expect((await again.engine.get("a", older))?.output).toBe('"kept"');
    await again.engine.start({ workflow: "w", instanceId: "a" });
    await other.completeTurn(await other.turn(), [complete(0, '"new"')]);
    expect(await again.engine.get("a")).toMatchObject({ output: '"new"', generation: 3 });
    expect((await again.engine.executions("a")).instances).toHaveLength(3);
    expect(await again.engine.history("a", older)).toHaveLength(3);
    await again.pass(9 * hour + 2000);
    expect(await again.left()).toBe(0);
    await again.engine.close();
  });

  test("deletes an older execution that ended before its last change, by a clock that was set back", async () => {
    const under = await EngineUnderTest.open({ retention: { anyMs: hour } });
    under.clock.moveTo(100 * hour);
    const worker = under.connect({});
    const { executionId } = await under.engine.start({ workflow: "w", instanceId: "a" });
    const turn = await worker.turn();
    under.clock.setBack(10 * hour);
    await worker.completeTurn(turn, [complete(0)]);
    await under.pass(2 * hour);
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(2), []);
    await under.pass(12 * hour);
    expect(await under.engine.get("a", { executionId })).toBeUndefined();
    await under.engine.close();
  });

  test("spares an older execution that has a moment left when the present one goes", async () => {
    const retention = { completedMs: hour + 2400, failedMs: hour };
    const under = await EngineUnderTest.open({ retention });
    const worker = under.connect({});
    const { executionId } = await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [complete(0)]);
    under.clock.advance(1000);
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(2), [fail(0, failure("E", "m"))]);
    await under.pass(hour + 1000);
    expect((await under.engine.executions("a")).instances).toMatchObject([{ executionId }]);
    await under.pass(1500);
    expect(await under.left()).toBe(0);
    await under.engine.close();
  });

  test("passes over an older execution that is damaged, and deletes all others", async () => {
    const under = await EngineUnderTest.open({ retention: { anyMs: hour } });
    under.connect({ flows, tasks });
    const ids = ["a", "a", ...Array.from({ length: 40 }, (_, at) => `b${at}`)];
    for (const instanceId of ids) {
      await under.engine.start({ workflow: "echo", instanceId });
      await under.engine.waitForCompletion(instanceId);
    }
    await under.faults.behind.write([put(executionKey("a", 1), Buffer.alloc(9, 0xff))]);
    await under.pass(2 * hour);
    expect(await under.ids()).toEqual(["a"]);
    expect(under.log.map(({ level }) => level)).not.toContain("error");
    await under.engine.close();
  });

  test("leaves a new instance alone whose id was purged while an older execution was read", async () => {
    const retention = { completedMs: hour, failedMs: 9 * hour };
    const under = await EngineUnderTest.open({ retention });
    const worker = under.connect({});
    for (const [index, end] of [complete(0), fail(0, failure("E", "m"))].entries()) {
      await under.engine.start({ workflow: "w", instanceId: "a" });
      await worker.completeTurn(await worker.turn(index + 1), [end]);
    }
    const { get } = under.faults.behind;
    const read = Promise.withResolvers<void>();
    const delivered = Promise.withResolvers<void>();
    vi.spyOn(under.faults.behind, "get").mockImplementation(async function (this: Store, key) {
      const value = await get.call(this, key);
      if (!Buffer.from(key).equals(executionKey("a", 1))) return value;
      read.resolve();
      await delivered.promise;
      return value;
    });
    under.clock.advance(2 * hour);
    await read.promise;
    await under.engine.purge("a");
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(3), [timer(1, 99 * hour)]);
    delivered.resolve();
    await under.engine.idle();
    expect(await under.engine.history("a")).toHaveLength(3);
    expect(await problemsOf(under.faults.behind, under.clock.now())).toEqual([]);
    await under.engine.close();
  });

  test("of an id that is used again counts from the end of the newest execution", async () => {
    const under = await EngineUnderTest.open({ retention: { anyMs: hour } });
    under.connect({ flows, tasks });
    await under.engine.start({ workflow: "echo", instanceId: "a" });
    await under.engine.waitForCompletion("a");
    await under.pass(hour / 2);
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    await under.pass(hour);
    expect((await under.engine.get("a"))?.status).toBe("running");
    expect((await under.engine.executions("a")).instances).toHaveLength(1);
    await under.engine.close();
  });

  test("deletes many, also when it is cut short, and nothing twice", async () => {
    const under = await EngineUnderTest.open({ retention: { anyMs: hour } });
    under.connect({ flows, tasks });
    for (let index = 0; index < 300; index += 1) {
      await under.engine.start({ workflow: "echo", instanceId: `i-${index}` });
    }
    await under.engine.idle();
    under.faults.failNext(40, "cut", ["write"]);
    under.clock.advance(2 * hour);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const after = await under.crash({ retention: { anyMs: hour } });
    await after.pass(1000);
    expect(await after.ids()).toEqual([]);
    expect(await after.left()).toBe(0);
    await after.engine.close();
  });

  test("passes over nothing when the clock is set back while it is at work", async () => {
    const under = await EngineUnderTest.open({ retention: { anyMs: hour } });
    await oneOfEach(under);
    await under.engine.idle();
    const gate = under.faults.hold("range");
    under.clock.advance(hour + 2000);
    while (gate.waiting() === 0) await new Promise((resolve) => setImmediate(resolve));
    under.clock.setBack(hour);
    gate.release();
    await under.engine.idle();
    await under.pass(hour + 2000);
    expect(await under.ids()).toEqual([]);
    await under.engine.close();
  });

  test("goes on when the store was opened again after a failed write", async () => {
    const retention = { anyMs: hour };
    const under = await EngineUnderTest.open({ retention });
    const leaves: Workflow = flows.echo;
    under.connect({ flows: { leaves }, tasks });
    await under.engine.start({ workflow: "leaves", instanceId: "a" });
    await under.engine.waitForCompletion("a");
    await under.engine.idle();
    under.faults.failNext(1, "error", ["write"]);
    under.clock.advance(2 * hour);
    for (let round = 0; round < 200 && (await under.left()) > 0; round += 1) {
      under.clock.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await under.left()).toBe(0);
    await under.engine.close();
  });
});
