// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { history as h } from "../../../test/history.js";
import { asked, replayOf } from "../../../test/replay-of.js";
import { event, workflow } from "../../definition.js";
import { EventTimeoutError } from "../../errors.js";

const paid = event<{ amount: number }>("Paid");

describe("events", () => {
  const waiting = workflow("waiting", async (ctx) => {
    const first = await ctx.waitForEvent(paid);
    const second = await ctx.waitForEvent(paid);
    return [first.amount, second.amount];
  });

  test("wait in the order of their arrival, whatever the case of their name", async () => {
    const replay = replayOf(waiting);
    const start = [h.turn(1), h.start("waiting")];
    const events = [h.event("PAID", { amount: 1 }), h.event("paid", { amount: 2 })];
    const outcome = await replay.turn([], [...start, ...events]);
    expect(asked(outcome)).toEqual(["2 completed [1,2]"]);
  });

  test("go to the oldest wait of their name, each to one", async () => {
    const race = workflow("race", async (ctx) => {
      const waits = [1, 2, 3].map((n) => ctx.waitForEvent(n === 2 ? "GO" : "go"));
      const heard = await Promise.all(waits.slice(0, 2));
      return [...heard, await Promise.race([waits[2], ctx.sleep(9).then(() => "nothing")])];
    });
    const replay = replayOf(race);
    await replay.turn([], [h.turn(1), h.start("race")]);
    const second = await replay.turn([], [h.turn(2), h.event("Go", "a"), h.event("go", "b")]);
    expect(asked(second)).toEqual(["3 timer createTimer at 11"]);
    expect(asked(await replay.turn([], [h.turn(11), h.timerFired(3)]))).toEqual([
      '4 completed ["a","b","nothing"]',
    ]);
  });

  test("that come before the wait take no timer and no number", async () => {
    const late = workflow("late", async (ctx) => {
      await ctx.activity("add");
      return ctx.waitForEvent("Paid");
    });
    const replay = replayOf(late);
    await replay.turn([], [h.turn(1), h.start("late")]);
    await replay.turn([], [h.turn(2), h.event("PAID", 5)]);
    expect(asked(await replay.turn([], [h.turn(3), h.activityDone(0)]))).toEqual(["1 completed 5"]);
  });

  test("a wait without a timeout makes a timer that never fires", async () => {
    const outcome = await replayOf(waiting).turn([], [h.turn(1), h.start("waiting")]);
    expect(asked(outcome)).toEqual(["0 timer externalEvent Paid at 253402300800000"]);
  });

  test("a wait times out, and the next wait of its name is not disturbed", async () => {
    const patient = workflow("patient", async (ctx) => {
      try {
        await ctx.waitForEvent(paid, { timeoutMs: 50 });
      } catch (error) {
        if (!(error instanceof EventTimeoutError)) throw error;
      }
      return (await ctx.waitForEvent(paid, { timeoutMs: 50 })).amount;
    });
    const replay = replayOf(patient);
    const first = await replay.turn([], [h.turn(100), h.start("patient")]);
    expect(asked(first)).toEqual(["0 timer externalEvent Paid at 150"]);
    const second = await replay.turn([], [h.turn(151), h.timerFired(0)]);
    expect(asked(second)).toEqual(["1 timer externalEvent Paid at 201"]);
    const last = await replay.turn([], [h.turn(160), h.event("paid", { amount: 3 })]);
    expect(asked(last)).toEqual(["2 completed 3"]);
  });

  test("a stale timer does not disturb a newer wait", async () => {
    const twice = workflow("twice", async (ctx) => {
      await ctx.waitForEvent("go", { timeoutMs: 50 });
      return ctx.waitForEvent("go", { timeoutMs: 500 });
    });
    const replay = replayOf(twice);
    await replay.turn([], [h.turn(100), h.start("twice")]);
    await replay.turn([], [h.turn(110), h.event("go")]);
    expect(asked(await replay.turn([], [h.turn(150), h.timerFired(0)]))).toEqual([]);
    expect(asked(await replay.turn([], [h.turn(160), h.event("go", 2)]))).toEqual([
      "2 completed 2",
    ]);
  });

  test("waits and sleeps are never shorter than asked for, and sleeps have their names", async () => {
    const parts = workflow("parts", async (ctx) => {
      const wait = ctx.waitForEvent("go", { timeoutMs: 50.5 });
      await Promise.allSettled([wait, ctx.sleep(10.2), ctx.sleep(3, "pause")]);
    });
    const outcome = await replayOf(parts).turn([], [h.turn(100), h.start("parts")]);
    expect(asked(outcome)).toEqual([
      "0 timer externalEvent go at 151",
      "1 timer createTimer at 111",
      "2 timer createTimer pause at 103",
    ]);
  });

  test("a wait of 0 takes only what is there", async () => {
    const peeking = workflow("peeking", async (ctx) =>
      ctx.waitForEvent("go", { timeoutMs: 0 }).catch(() => "none"),
    );
    const outcome = await replayOf(peeking).turn([], [h.turn(1), h.start("peeking")]);
    expect(asked(outcome)).toEqual(['0 completed "none"']);
  });

  test("a wait that its own turn satisfies leaves no timer, also on replay", async () => {
    const then = workflow("then", async (ctx) => {
      await ctx.waitForEvent("go");
      await ctx.activity("add");
    });
    const first = [h.turn(1), h.start("then"), h.event("go")];
    expect(asked(await replayOf(then).turn([], first))).toEqual(["1 activity add"]);
    const past = [...first, h.activity(1, "add")];
    const again = await replayOf(then).turn(past, [h.turn(2), h.activityDone(1)]);
    expect(asked(again)).toEqual(["2 completed"]);
  });
});
