// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Gate } from "../src/testing/fault-store.js";
import { child, complete, detached, schedule, sendEvent, timer } from "./actions.js";
import { flows } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import type { ScriptedWorker } from "./scripted-worker.js";

/** Resolves when a write waits at the gate, and everything else has had its turn. */
async function untilHeld(gate: Gate): Promise<void> {
  while (gate.waiting() === 0) await nextTick();
  for (let turn = 0; turn < 10; turn += 1) await nextTick();
}

interface Setting {
  readonly under: EngineUnderTest;
  readonly worker: ScriptedWorker;
}

/** An engine with a running instance "a" that has an activity, and an ended one "old". */
async function open(): Promise<Setting> {
  const under = await EngineUnderTest.open();
  const worker = under.connect({ workflows: ["w"] });
  await under.engine.start({ workflow: "w", instanceId: "old" });
  await worker.completeTurn(await worker.turn(), [complete(0)]);
  await under.engine.start({ workflow: "w", instanceId: "a" });
  await worker.completeTurn(await worker.turn(2), [schedule(0, "charge"), timer(1, 1_005_000)]);
  await worker.activity();
  return { under, worker };
}

describe("no command is acknowledged before it is on disk", () => {
  test.each<[string, (setting: Setting) => Promise<unknown>]>([
    ["start", ({ under }) => under.engine.start({ workflow: "w", instanceId: "new" })],
    ["start with a new id", ({ under }) => under.engine.start({ workflow: "w" })],
    ["start anew", ({ under }) => under.engine.start({ workflow: "w", instanceId: "old" })],
    ["raiseEvent", ({ under }) => under.engine.raiseEvent("a", "go")],
    ["suspend", ({ under }) => under.engine.suspend("a")],
    ["resume", ({ under }) => under.engine.resume("a")],
    ["terminate", ({ under }) => under.engine.terminate("a")],
    ["purge", ({ under }) => under.engine.purge("old")],
    ["purge by force", ({ under }) => under.engine.purge("a", { force: true })],
    ["completeActivity", ({ worker }) => worker.completeActivity(worker.lastActivity())],
  ])("%s", async (_, command) => {
    const setting = await open();
    const gate = setting.under.faults.hold("write");
    let isAcknowledged = false;
    const acknowledged = command(setting).then(() => {
      isAcknowledged = true;
    });
    await untilHeld(gate);
    expect(isAcknowledged).toBe(false);
    gate.release();
    await acknowledged;
    await setting.under.engine.close();
  });

  test("completeTurn", async () => {
    const { under, worker } = await open();
    await under.engine.raiseEvent("a", "go");
    const turn = await worker.turn(3);
    const gate = under.faults.hold("write");
    let isAcknowledged = false;
    const acknowledged = worker.completeTurn(turn, [complete(2)]).then(() => {
      isAcknowledged = true;
    });
    await untilHeld(gate);
    expect(isAcknowledged).toBe(false);
    gate.release();
    await acknowledged;
    await under.engine.close();
  });

  test("what joins a write that is under way is not acknowledged with it", async () => {
    const { under } = await open();
    const gate = under.faults.hold("write");
    const acknowledged: string[] = [];
    const first = under.engine
      .start({ workflow: "w", instanceId: "1" })
      .then(() => acknowledged.push("first"));
    await untilHeld(gate);
    const second = under.engine
      .start({ workflow: "w", instanceId: "2" })
      .then(() => acknowledged.push("second"));
    for (let tick = 0; tick < 10; tick += 1) await nextTick();
    const nextGate = under.faults.hold("write");
    gate.release();
    await untilHeld(nextGate);
    expect(acknowledged).toEqual(["first"]);
    nextGate.release();
    await Promise.all([first, second]);
    expect(acknowledged).toEqual(["first", "second"]);
    await under.engine.close();
  });

  test("commands that come together share a write", async () => {
    const { under } = await open();
    const before = under.engine.commitCount();
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        under.engine.start({ workflow: "w", instanceId: `many-${index}` }),
      ),
    );
    expect(under.engine.commitCount() - before).toBeLessThan(5);
    await under.engine.close();
  });
});

describe("nothing is shown before it is on disk", () => {
  test("get, list and history show the last durable state", async () => {
    const { under, worker } = await open();
    await under.engine.raiseEvent("a", "go");
    const turn = await worker.turn(3);
    const before = await under.engine.get("a");
    const gate = under.faults.hold("write");
    const done = worker.completeTurn(turn, [complete(2)]);
    const started = under.engine.start({ workflow: "w", instanceId: "new" });
    let historyIsRead = false;
    const history = under.engine.history("a").then((events) => {
      historyIsRead = true;
      return events;
    });
    await untilHeld(gate);
    expect(await under.engine.get("a")).toEqual(before);
    expect(await under.engine.get("new")).toBeUndefined();
    expect((await under.engine.list()).instances).toHaveLength(2);
    expect(historyIsRead).toBe(false);
    gate.release();
    await Promise.all([done, started]);
    expect((await under.engine.get("a"))?.status).toBe("completed");
    expect(await history).toHaveLength(7);
    await under.engine.close();
  });

  test("a waiter and a watcher hear of an end after it is on disk", async () => {
    const { under, worker } = await open();
    await under.engine.raiseEvent("a", "go");
    const turn = await worker.turn(3);
    const heard: string[] = [];
    const waiting = under.engine.waitForCompletion("a").then(() => heard.push("waiter"));
    const watching = (async () => {
      for await (const { instance } of under.engine.watch("a")) heard.push(instance.status);
    })();
    for (let tick = 0; tick < 5; tick += 1) await nextTick();
    const gate = under.faults.hold("write");
    const done = worker.completeTurn(turn, [complete(2)]);
    await untilHeld(gate);
    expect(heard).toEqual(["running"]);
    gate.release();
    await Promise.all([done, waiting, watching]);
    expect(heard.sort()).toEqual(["completed", "running", "waiter"]);
    await under.engine.close();
  });
});

describe("no effect leaves before its cause is on disk", () => {
  test("an activity is not handed out", async () => {
    const { under, worker } = await open();
    await under.engine.raiseEvent("a", "go");
    const turn = await worker.turn(3);
    const gate = under.faults.hold("write");
    const done = worker.completeTurn(turn, [schedule(2, "ship")]);
    await untilHeld(gate);
    expect(worker.activities).toHaveLength(1);
    gate.release();
    await done;
    expect(await worker.activity(2)).toMatchObject({ name: "ship" });
    await under.engine.close();
  });

  test.each([
    ["a child is not started", child(2, "echo", "c")],
    ["a detached workflow is not started", detached(2, "echo", "c")],
  ])("%s", async (_, action) => {
    const { under, worker } = await open();
    under.connect({ workflows: ["echo"], flows });
    await under.engine.raiseEvent("a", "go");
    const turn = await worker.turn(3);
    const gate = under.faults.hold("write");
    const done = worker.completeTurn(turn, [action]);
    await untilHeld(gate);
    // Nothing of the child is even asked for: it is not in memory, nor in what is being written.
    expect(await under.engine.get("c")).toBeUndefined();
    expect(gate.waiting()).toBe(1);
    gate.release();
    await done;
    expect((await under.engine.waitForCompletion("c")).status).toBe("completed");
    await under.engine.close();
  });

  test("an event for another instance is not delivered", async () => {
    const { under, worker } = await open();
    under.connect({ workflows: ["gather"], flows });
    await under.engine.start({ workflow: "gather", instanceId: "g", input: "1" });
    await under.engine.waitForStart("g");
    await under.engine.raiseEvent("a", "go");
    const turn = await worker.turn(3);
    const gate = under.faults.hold("write");
    const turns = under.faults.callCount("write");
    const done = worker.completeTurn(turn, [sendEvent(2, "g", "go", "x")]);
    await untilHeld(gate);
    expect(under.faults.callCount("write")).toBe(turns + 1);
    expect((await under.engine.get("g"))?.status).toBe("running");
    gate.release();
    await done;
    expect((await under.engine.waitForCompletion("g")).output).toBe("x");
    await under.engine.close();
  });

  test("a timer does not fire", async () => {
    const { under, worker } = await open();
    await under.engine.raiseEvent("a", "go");
    const turn = await worker.turn(3);
    const gate = under.faults.hold("write");
    const done = worker.completeTurn(turn, [timer(2, 1_000_001)]);
    await untilHeld(gate);
    under.clock.moveTo(1_000_002);
    for (let tick = 0; tick < 10; tick += 1) await nextTick();
    expect(worker.turns).toHaveLength(3);
    gate.release();
    await done;
    await worker.turn(4);
    await under.engine.close();
  });

  test("a turn's result is not told to the parent", async () => {
    const under = await EngineUnderTest.open();
    const parents = under.connect({ workflows: ["p"] });
    const children = under.connect({ workflows: ["c"] });
    await under.engine.start({ workflow: "p", instanceId: "p" });
    await parents.completeTurn(await parents.turn(), [child(0, "c", "c")]);
    const turn = await children.turn();
    await under.engine.waitUntil("c", () => true);
    const gate = under.faults.hold("write");
    const done = children.completeTurn(turn, [complete(0, "1")]);
    await untilHeld(gate);
    expect(parents.turns).toHaveLength(1);
    gate.release();
    await done;
    await parents.turn(2);
    await under.engine.close();
  });
});
