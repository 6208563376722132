// SPDX-License-Identifier: Apache-2.0

import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Worker } from "../src/runtime/work/worker.js";
import { rowKey } from "../src/store/key.js";
import { put } from "../src/store/store.js";
import { timer } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";

describe("explain()", () => {
  test("tells a turn that waits for a worker from one that a worker has", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "chain", instanceId: "a", input: "x" });
    expect(await under.engine.explain("a")).toMatchObject({
      turnWaitsFor: "worker",
      summary: 'Its turn waits for a worker of workflow "chain": no connected worker offers it.',
      inbox: [{ kind: "executionStarted" }],
    });
    const worker = under.connect({ workflows: ["chain"] });
    await worker.turn();
    const { turnWorkerId, turnWaitsFor } = await under.engine.explain("a");
    expect(turnWorkerId).toBe(worker.session.workerId);
    expect(turnWaitsFor).toBeUndefined();
    await under.engine.close();
  });

  test("names open activities, with their worker or what they wait for", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, activities: [] });
    await under.engine.start({ workflow: "chain", instanceId: "a", input: "x" });
    await under.engine.idle();
    const waiting = await under.engine.explain("a");
    const activity = { taskId: 0, name: "double", scheduledAt: under.clock.now(), attempt: 1 };
    expect(waiting.activities).toEqual([{ ...activity, waitsFor: "worker" }]);
    expect(waiting.summary).toContain('activity "double" (no connected worker offers it');
    const holder = under.connect({ workflows: [], activities: ["double"] });
    await holder.activity();
    const { activities, summary } = await under.engine.explain("a");
    const { workerId } = holder.session;
    expect(activities).toEqual([{ ...activity, workerId, workerName: "scripted" }]);
    expect(summary).toContain(`with worker "scripted" (${workerId})`);
    await under.engine.close();
  });

  test("names the limit that holds an activity back", async () => {
    const under = await EngineUnderTest.open({ concurrency: { activities: 1 } });
    const worker = under.connect({ flows });
    await under.engine.start({ workflow: "fanOut", instanceId: "a", input: "x,y" });
    await worker.activity();
    const { activities } = await under.engine.explain("a");
    expect(activities.map(({ waitsFor }) => waitsFor)).toEqual([undefined, "limit"]);
    await under.engine.close();
  });

  test("looks at what a worker has once, however many activities are open", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows, activities: ["double"], activityLimit: 3 });
    const input = Array.from({ length: 50 }, (_, index) => `${index}`).join(",");
    await under.engine.start({ workflow: "fanOut", instanceId: "a", input });
    await worker.activity();
    const looks = vi.spyOn(Worker.prototype, "activities", "get");
    const offers = vi.spyOn(Worker.prototype, "runs");
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    const { activities } = await under.engine.explain("a");
    expect(activities.filter(({ workerId }) => workerId !== undefined)).toHaveLength(3);
    expect(activities.filter(({ waitsFor }) => waitsFor === "room")).toHaveLength(47);
    expect(looks).toHaveBeenCalledTimes(1);
    expect(offers).toHaveBeenCalledTimes(1);
    await under.engine.close();
  });

  test("names timers and open children", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, tasks });
    const at = under.clock.now() + 60_000;
    await under.engine.start({ workflow: "sleep", instanceId: "s", input: `${at}` });
    const family = { workflow: "parent", instanceId: "p", input: "gather kid 1" };
    await under.engine.start(family);
    await under.engine.idle();
    const sleeping = await under.engine.explain("s");
    expect(sleeping.timers).toMatchObject([{ fireAt: at }]);
    expect(sleeping.summary).toBe(`It waits for a timer at ${new Date(at).toISOString()}.`);
    const { children, summary } = await under.engine.explain("p");
    expect(children).toMatchObject([{ instanceId: "kid", status: "running" }]);
    expect(summary).toBe('It waits for child "kid" (running).');
    await under.engine.close();
  });

  test("names awaited events as the workflow does", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "g" });
    await worker.completeTurn(await worker.turn(), [timer(0, 9_000_000, "Paid")]);
    const { timers, summary } = await under.engine.explain("g");
    expect(timers).toEqual([{ timerId: 0, fireAt: 9_000_000, eventName: "Paid" }]);
    expect(summary).toBe('It waits for event "Paid".');
    await under.engine.close();
  });

  test("says since when an instance is suspended, and when a delayed one starts", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, tasks });
    await under.engine.start({ workflow: "gather", instanceId: "g", input: "1" });
    const startAt = under.clock.now() + 5000;
    await under.engine.start({ workflow: "echo", instanceId: "d", startAt });
    await under.engine.idle();
    const suspendedAt = under.clock.now();
    await under.engine.suspend("g");
    await under.engine.idle();
    const since = new Date(suspendedAt).toISOString();
    const explanation = await under.engine.explain("g");
    expect(explanation.suspendedAt).toBe(suspendedAt);
    expect(explanation.summary).toContain(`It is suspended since ${since}, until it is resumed.`);
    const delayed = await under.engine.explain("d");
    expect(delayed.summary).toBe(`It starts at ${new Date(startAt).toISOString()}.`);
    await under.engine.close();
  });

  test("says what is damaged, and what has ended", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, tasks });
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "x" });
    await under.engine.idle();
    expect((await under.engine.explain("a")).summary).toBe("It has ended: completed.");
    const value = Buffer.from([0xff, 0xff]);
    await under.faults.behind.write([put(rowKey("bad"), value)]);
    const { damage, summary, instance } = await under.engine.explain("bad");
    expect(damage).toContain("damaged");
    expect(summary).toContain("It is damaged and parked");
    expect(instance).toBeUndefined();
    await expect(under.engine.explain("nobody")).rejects.toMatchObject({
      code: "INSTANCE_NOT_FOUND",
    });
    await under.engine.close();
  });
});
