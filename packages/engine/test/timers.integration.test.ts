// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { timer } from "./actions.js";
import { flows } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import type { Workflow } from "./replay.js";
import { eventsOf, kinds } from "./scripted-worker.js";

const start = 1_000_000;
const year = 365 * 24 * 3_600_000;

describe("a timer", () => {
  test("fires at its instant and no earlier", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    const at = start + 5000;
    await under.engine.start({ workflow: "sleep", instanceId: "a", input: `${at}` });
    await under.engine.idle();
    expect(await under.engine.nextTimerAt()).toBe(at);
    under.clock.moveTo(at - 1);
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("running");
    under.clock.moveTo(at);
    const ended = await under.engine.waitForCompletion("a");
    expect(ended).toMatchObject({ output: `woke at ${at}`, completedAt: at });
    expect(await under.engine.nextTimerAt()).toBeUndefined();
    await under.engine.close();
  });

  test.each([
    ["past the horizon", 90_000],
    ["in three hundred years", 300 * year],
  ])("fires when it is %s", async (_, lengthMs) => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    const at = start + lengthMs;
    await under.engine.start({ workflow: "sleep", instanceId: "a", input: `${at}` });
    await under.runUntil(at - 1);
    expect((await under.engine.get("a"))?.status).toBe("running");
    await under.runUntil(at);
    expect((await under.engine.get("a"))?.status).toBe("completed");
    await under.engine.close();
  });

  test.each([
    ["of the past", 1000],
    ["of before 1970", -1000],
    ["of now", start],
  ])("%s fires at once", async (_, at) => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "sleep", instanceId: "a", input: `${at}` });
    expect((await under.engine.waitForCompletion("a")).output).toBe(`woke at ${start}`);
    await under.engine.close();
  });

  test.each([start + 5000, 1000, -1000])("of instant %i fires after a crash", async (at) => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "sleep", instanceId: "a", input: `${at}` });
    // The timer's creation is the last thing that gets to the disk.
    under.faults.failNext(2, "cut", ["write"]);
    await worker.completeTurn(await worker.turn(), [timer(0, at)]);
    const after = await under.crash();
    after.connect({ flows });
    await after.runUntil(start + 5000);
    expect((await after.engine.get("a"))?.status).toBe("completed");
    await after.engine.close();
  });

  test("fires late, after the engine was down at its instant", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    const at = start + 5000;
    await under.engine.start({ workflow: "sleep", instanceId: "a", input: `${at}` });
    await under.engine.idle();
    under.clock.moveTo(start + 4999);
    under.faults.cut();
    under.faults.restore();
    under.clock.moveTo(start + 3600_000);
    const after = await under.reopen();
    after.connect({ flows });
    expect((await after.engine.waitForCompletion("a")).completedAt).toBe(start + 3600_000);
    await after.engine.close();
  });

  test("fires once for each, when many share an instant", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows });
    const at = start + 5000;
    for (let index = 0; index < 200; index += 1) {
      await under.engine.start({ workflow: "sleep", instanceId: `a${index}`, input: `${at}` });
    }
    await under.engine.idle();
    under.clock.moveTo(at);
    await under.engine.idle();
    const fired = worker.turns.filter((turn) => kinds(eventsOf(turn)).includes("timerFired"));
    expect(fired).toHaveLength(200);
    expect(
      (await under.engine.list({ statuses: ["completed"], pageSize: 1000 })).instances,
    ).toHaveLength(200);
    await under.engine.close();
  });

  test("wakes its instance once when two share an instant", async () => {
    const under = await EngineUnderTest.open();
    const both: Workflow = function* (context) {
      yield [context.timer(start + 5000), context.timer(start + 5000)];
      return "both";
    };
    const worker = under.connect({ flows: { both } });
    await under.engine.start({ workflow: "both", instanceId: "a" });
    await under.engine.idle();
    under.clock.moveTo(start + 5000);
    expect((await under.engine.waitForCompletion("a")).output).toBe("both");
    const fired = worker.turns.flatMap((turn) => kinds(eventsOf(turn)));
    expect(fired.filter((kind) => kind === "timerFired")).toHaveLength(2);
    await under.engine.close();
  });

  test("survives a clock that jumps back", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    const at = start + 5000;
    await under.engine.start({ workflow: "sleep", instanceId: "a", input: `${at}` });
    await under.engine.idle();
    under.clock.moveTo(start - year);
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("running");
    await under.runUntil(at);
    expect((await under.engine.get("a"))?.status).toBe("completed");
    await under.engine.close();
  });

  test("of a wait is cleared by the event, and its instance does not wake for it", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [timer(0, start + 5000, "Paid")]);
    expect(await under.engine.nextTimerAt()).toBe(start + 5000);
    await under.engine.raiseEvent("a", "PAID");
    await worker.completeTurn(await worker.turn(2), []);
    expect(await under.engine.nextTimerAt()).toBeUndefined();
    under.clock.moveTo(start + 6000);
    await under.engine.idle();
    expect(worker.turns).toHaveLength(2);
    await under.engine.close();
  });

  test("that fires during suspension is held until the resume", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    const at = start + 5000;
    await under.engine.start({ workflow: "sleep", instanceId: "a", input: `${at}` });
    await under.engine.suspend("a");
    await under.engine.idle();
    under.clock.moveTo(at);
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("suspended");
    expect(kinds(await under.engine.history("a"))).toContain("timerFired");
    await under.engine.resume("a");
    expect((await under.engine.waitForCompletion("a")).status).toBe("completed");
    await under.engine.close();
  });

  test("of an earlier execution does not fire in the next", async () => {
    const under = await EngineUnderTest.open();
    const twice: Workflow = function* (context) {
      if (context.input === "") {
        context.timer(start + 1000);
        yield context.event("go");
        return context.continueAsNew("again");
      }
      yield context.timer(start + 5000);
      return `woke at ${context.now}`;
    };
    under.connect({ flows: { twice } });
    await under.engine.start({ workflow: "twice", instanceId: "a", input: "" });
    await under.engine.raiseEvent("a", "go");
    await under.engine.idle();
    expect(await under.engine.nextTimerAt()).toBe(start + 5000);
    await under.runUntil(start + 5000);
    expect((await under.engine.get("a"))?.output).toBe(`woke at ${start + 5000}`);
    await under.engine.close();
  });

  test("is read again when the store could not be read at its time", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    const at = start + 300_000;
    await under.engine.start({ workflow: "sleep", instanceId: "a", input: `${at}` });
    await under.engine.idle();
    under.faults.failNext(1, "error", ["range"]);
    under.clock.moveTo(start + 100_000);
    await under.engine.idle();
    await under.runUntil(at);
    expect((await under.engine.get("a"))?.status).toBe("completed");
    await under.engine.close();
  });
});

describe("a delayed start", () => {
  test("is pending until its instant", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows });
    const startAt = start + 5000;
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "x", startAt });
    await under.engine.idle();
    expect(await under.engine.get("a")).toMatchObject({ status: "pending", startAt, input: "x" });
    expect(await under.engine.nextTimerAt()).toBe(startAt);
    under.clock.moveTo(startAt - 1);
    await under.engine.idle();
    expect(worker.items).toEqual([]);
    under.clock.moveTo(startAt);
    expect((await under.engine.waitForCompletion("a")).startedAt).toBe(startAt);
    await under.engine.close();
  });

  test("at a part of a millisecond is no earlier", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "echo", instanceId: "a", startAt: start + 5000.5 });
    expect(await under.engine.nextTimerAt()).toBe(start + 5001);
    await under.engine.close();
  });

  test("of the past begins at once", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "echo", instanceId: "a", startAt: 5 });
    expect((await under.engine.waitForCompletion("a")).status).toBe("completed");
    await under.engine.close();
  });

  test("keeps events until then, and gives them all to the first turn", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows });
    const startAt = start + 5000;
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "2", startAt });
    await under.engine.raiseEvent("a", "go", "1");
    await under.engine.raiseEvent("a", "go", "2");
    await under.engine.idle();
    expect(worker.items).toEqual([]);
    under.clock.moveTo(startAt);
    expect((await under.engine.waitForCompletion("a")).output).toBe("1,2");
    expect(worker.turns).toHaveLength(1);
    await under.engine.close();
  });

  test("is kept over a crash", async () => {
    const under = await EngineUnderTest.open();
    const startAt = start + 500_000;
    await under.engine.start({ workflow: "echo", instanceId: "a", startAt });
    await under.engine.raiseEvent("a", "go");
    const after = await under.crash();
    const worker = after.connect({ flows });
    await after.runUntil(startAt - 1);
    expect(worker.items).toEqual([]);
    await after.runUntil(startAt);
    expect((await after.engine.get("a"))?.status).toBe("completed");
    await after.engine.close();
  });
});
