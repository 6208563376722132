// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { decodeRow, encodeRow } from "../src/store/codec.js";
import { rowKey } from "../src/store/key.js";
import { put } from "../src/store/store.js";
import { problemsOf } from "../src/testing/check-store.js";
import { child, complete, continueWith, schedule, timer } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import type { Workflow } from "./replay.js";
import { eventsOf, kinds } from "./scripted-worker.js";

/** Goes on as new as often as its input says, without waiting for anything. */
// biome-ignore lint/correctness/useYield: it waits for nothing
const countdown: Workflow = function* (context) {
  const left = Number(context.input);
  return left === 0 ? "zero" : context.continueAsNew(`${left - 1}`);
};

/** Counts to the input's second number, an event and an execution each. */
const counter: Workflow = function* (context) {
  const [count = 0, until = 0] = context.input.split("/").map(Number);
  context.customStatus = `${count}`;
  if (count === until) return `${count}`;
  const [by = ""]: string[] = yield context.event("add");
  return context.continueAsNew(`${count + Number(by)}/${until}`);
};

describe("continue-as-new", () => {
  test("may follow itself without an end of turns between, as often as it likes", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows: { countdown } });
    await under.engine.start({ workflow: "countdown", instanceId: "a", input: "100" });
    expect(await under.engine.waitForCompletion("a")).toMatchObject({
      output: "zero",
      generation: 101,
      historyLength: 3,
    });
    await under.engine.close();
  });

  test("begins the numbers of the inbox anew before there are no more", async () => {
    const first = await EngineUnderTest.open();
    await first.engine.start({ workflow: "counter", instanceId: "a", input: "0/9" });
    const worker = first.connect({ flows: { counter } });
    await first.engine.idle();
    worker.close();
    await first.engine.close();
    const store = first.faults.behind;
    const rowOfA = async () => decodeRow((await store.get(rowKey("a"))) ?? expect.unreachable());
    const long = 2 ** 32 - 14;
    await store.write([
      put(rowKey("a"), encodeRow({ ...(await rowOfA()), inboxFirst: long, inboxNext: long })),
    ]);
    const under = await first.reopen();
    for (let event = 0; event < 3; event += 1) await under.engine.raiseEvent("a", "add", "1");
    under.connect({ flows: { counter } });
    for (let event = 3; event < 8; event += 1) await under.engine.raiseEvent("a", "add", "1");
    await under.engine.idle();
    expect(await problemsOf(store, under.clock.now())).toEqual([]);
    const again = await under.crash();
    again.connect({ flows: { counter } });
    expect((await rowOfA()).inboxNext).toBeLessThan(100);
    await again.engine.raiseEvent("a", "add", "1");
    expect((await again.engine.waitForCompletion("a")).output).toBe("9");
    await again.engine.purge("a");
    expect(await problemsOf(store, again.clock.now())).toEqual([]);
    await again.engine.close();
  });

  test("counts each of fifty events once, raised one after the other or all at once", async () => {
    for (const together of [true, false]) {
      const under = await EngineUnderTest.open();
      under.connect({ flows: { counter } });
      await under.engine.start({ workflow: "counter", instanceId: "a", input: "0/50" });
      for (let index = 0; index < 50; index += 1) {
        await under.engine.raiseEvent("a", "add", "1");
        if (!together) await under.engine.idle();
      }
      expect(await under.engine.waitForCompletion("a")).toMatchObject({
        output: "50",
        generation: 51,
        customStatus: "50",
      });
      await under.engine.close();
    }
  });

  test("begins the next execution with its start and carried events, and no past", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await under.engine.raiseEvent("a", "go");
    const first = await worker.turn();
    await worker.completeTurn(first, []);
    const second = await worker.turn(2);
    const raised = eventsOf(second).filter(({ eventType }) => eventType.case === "eventRaised");
    await worker.completeTurn(second, [continueWith(0, '"next"', raised)]);
    const third = await worker.turn(3);
    expect(third).toMatchObject({ past: [], pastEventCount: 0, cachedEventCount: 0 });
    expect(third.executionId).not.toBe(first.executionId);
    expect(kinds(eventsOf(third))).toEqual(["workflowStarted", "executionStarted", "eventRaised"]);
    await under.engine.close();
  });

  test("discards activities, children and timers of its turn", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ workflows: ["w"] });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const asked = [schedule(0, "double"), child(1, "echo", "c"), timer(2, 2e6), continueWith(3)];
    await worker.completeTurn(await worker.turn(), asked);
    await worker.completeTurn(await worker.turn(2), [complete(0)]);
    await under.engine.idle();
    expect(worker.activities).toEqual([]);
    expect(await under.engine.get("c")).toBeUndefined();
    expect(await under.engine.nextTimerAt()).toBeUndefined();
    await under.engine.close();
  });

  test("leaves a straggler's result to its own execution, though the number is taken again", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [schedule(0, "slow")]);
    const straggler = await worker.activity();
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(2), [continueWith(0)]);
    await worker.completeTurn(await worker.turn(3), [schedule(0, "slow")]);
    const second = await worker.activity(2);
    await worker.completeActivity(straggler, { output: '"done-first"' });
    await nextTick();
    expect(worker.turns).toHaveLength(3);
    await worker.completeActivity(second, { output: '"done-second"' });
    const [, result] = eventsOf(await worker.turn(4));
    expect(result?.eventType).toMatchObject({
      case: "taskCompleted",
      value: { taskScheduledId: 0, result: '"done-second"' },
    });
    await under.engine.close();
  });

  test("gives a new execution's results to its own tasks of the same numbers", async () => {
    const under = await EngineUnderTest.open();
    const rounds: Workflow = function* (context) {
      const [left = "", text = ""] = context.input.split(" ");
      if (left === "0") return text;
      const [longer = ""]: string[] = yield context.activity("double", text);
      return context.continueAsNew(`${Number(left) - 1} ${longer}`);
    };
    const worker = under.connect({ flows: { rounds }, tasks });
    await under.engine.start({ workflow: "rounds", instanceId: "a", input: "4 x" });
    expect((await under.engine.waitForCompletion("a")).output).toBe("x".repeat(16));
    expect(worker.activities.map(({ input }) => input?.length)).toEqual([1, 2, 4, 8]);
    await under.engine.close();
  });

  test("keeps an instance suspended whose worker went on all the same", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const turn = await worker.turn();
    await under.engine.suspend("a", "audit");
    await worker.completeTurn(turn, []);
    await worker.completeTurn(await worker.turn(2), [continueWith(0)]);
    await worker.completeTurn(await worker.turn(3), []);
    expect(await under.engine.get("a")).toMatchObject({ status: "suspended", generation: 2 });
    await under.engine.resume("a");
    await worker.completeTurn(await worker.turn(4), []);
    expect((await under.engine.get("a"))?.status).toBe("running");
    await under.engine.close();
  });

  test("goes on after a failed activity, and drops the status of the execution before", async () => {
    const under = await EngineUnderTest.open();
    const stubborn: Workflow = function* (context) {
      if (context.input === "again") return "well";
      context.customStatus = '"trying"';
      try {
        yield context.activity("refuse");
      } catch {
        return context.continueAsNew("again");
      }
      return "never";
    };
    under.connect({ flows: { stubborn }, tasks });
    await under.engine.start({ workflow: "stubborn", instanceId: "a", input: "" });
    const ended = await under.engine.waitForCompletion("a");
    expect(ended).toMatchObject({ status: "completed", output: "well", generation: 2 });
    expect(ended).not.toHaveProperty("customStatus");
    await under.engine.close();
  });

  test("keeps an event that came before the timer which ended the execution", async () => {
    const under = await EngineUnderTest.open();
    const napper: Workflow = function* (context) {
      if (context.input === "awake") return (yield context.event("go"))[0];
      yield context.timer(1_005_000);
      return context.continueAsNew("awake");
    };
    under.connect({ flows: { napper } });
    await under.engine.start({ workflow: "napper", instanceId: "a", input: "" });
    await under.engine.raiseEvent("a", "go", "kept");
    await under.runUntil(1_005_000);
    expect(await under.engine.get("a")).toMatchObject({ output: "kept", generation: 2 });
    await under.engine.close();
  });

  test("gives way to a terminate that its turn took", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), []);
    await under.engine.terminate("a", { output: '"bye"' });
    await worker.completeTurn(await worker.turn(2), [continueWith(0)]);
    expect(await under.engine.get("a")).toMatchObject({
      status: "terminated",
      output: '"bye"',
      generation: 1,
    });
    await under.engine.close();
  });

  test("is ended by a terminate that came during its turn", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows });
    worker.isHolding = true;
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    const turn = await worker.turn();
    await under.engine.terminate("a", { output: '"bye"' });
    await worker.completeTurn(turn, [continueWith(0, "1")]);
    worker.isHolding = false;
    worker.answer(await worker.turn(2));
    expect(await under.engine.waitForCompletion("a")).toMatchObject({
      status: "terminated",
      generation: 2,
    });
    await under.engine.close();
  });
});
