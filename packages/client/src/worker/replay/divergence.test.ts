// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { history as h } from "../../../test/history.js";
import { asked, replayOf } from "../../../test/replay-of.js";
import { createDeferred } from "../../async/deferred.js";
import type { WorkflowContext } from "../../authoring.js";
import { workflow } from "../../definition.js";
import { settled } from "./settle.js";

/** How a replay of this code over this history ends. */
async function endOf(
  code: (ctx: WorkflowContext) => Promise<unknown>,
  past: Parameters<ReturnType<typeof replayOf>["turn"]>[0],
): Promise<string[]> {
  const turn = [h.turn(1), h.start("w"), ...past];
  return asked(await replayOf(workflow("w", code)).turn(turn, [h.turn(9)]));
}

describe("a replay that leaves its history", () => {
  test("names event, task, what history has and what was asked for", async () => {
    const past = [h.activity(0, "reserve"), h.turn(2), h.activityDone(0), h.activity(1, "charge")];
    const end = await endOf(async (ctx) => {
      await ctx.activity("reserve");
      await ctx.sleep(10, "pause");
    }, past);
    expect(end).toEqual([
      '2 failed Divergence: event 6 (task 1): history has activity "charge"; ' +
        'this replay asked for timer "pause"',
    ]);
  });

  test("compares the names of activities", async () => {
    const end = await endOf((ctx) => ctx.activity("refund"), [h.activity(0, "charge")]);
    expect(end).toEqual([
      '1 failed Divergence: event 3 (task 0): history has activity "charge"; ' +
        'this replay asked for activity "refund"',
    ]);
  });

  test("compares what is asked for, though the name is the same", async () => {
    const end = await endOf((ctx) => ctx.child("pay"), [h.activity(0, "pay")]);
    expect(end[0]).toContain('history has activity "pay"; this replay asked for child workflow');
  });

  test("compares the names and ids of children", async () => {
    const byName = await endOf((ctx) => ctx.child("a"), [h.child(0, "b", "i:0000")]);
    expect(byName[0]).toContain('history has child workflow "b"; this replay asked for child');
    const byId = await endOf(
      (ctx) => ctx.child("a", 1, { instanceId: "x" }),
      [h.child(0, "a", "y")],
    );
    expect(byId[0]).toContain("Divergence");
  });

  test("compares why timers exist", async () => {
    const past = [h.eventTimer(0, 10, "paid")];
    const asSleep = await endOf((ctx) => ctx.sleep(9), past);
    expect(asSleep[0]).toContain('history has wait for event "paid"; this replay asked for timer');
    expect(await endOf((ctx) => ctx.waitForEvent("PAID"), past)).toEqual([]);
    const asOther = await endOf((ctx) => ctx.waitForEvent("sent"), past);
    expect(asOther[0]).toContain('asked for wait for event "sent"');
  });

  test("names a retry timer by its activity", async () => {
    const retry = { maxAttempts: 2, firstIntervalMs: 5 };
    const past = [h.activity(0, "a"), h.turn(2), h.activityFailed(0), h.timer(1, 9, "other")];
    const end = await endOf((ctx) => ctx.activity("a", 1, { retry }), past);
    expect(end[0]).toContain(
      'history has timer "other"; this replay asked for retry timer of activity "a"',
    );
  });

  test("compares events sent", async () => {
    const code = async (ctx: WorkflowContext): Promise<void> => {
      ctx.sendEvent("there", "ping");
      await ctx.sleep(1);
    };
    expect(await endOf(code, [h.eventSent(0, "there", "ping"), h.timer(1, 2)])).toEqual([]);
    const end = await endOf(code, [h.eventSent(0, "elsewhere", "ping")]);
    expect(end[0]).toContain('history has event "ping" to instance "elsewhere"');
  });

  test("says so when the code asked for nothing", async () => {
    const end = await endOf(async () => "done", [h.activity(0, "charge")]);
    expect(end).toEqual([
      '1 failed Divergence: event 3 (task 0): history has activity "charge"; ' +
        "this replay asked for nothing",
    ]);
  });

  test("allows a timer of another length and a new name where history has none", async () => {
    expect(await endOf((ctx) => ctx.sleep(500, "longer"), [h.timer(0, 10)])).toEqual([]);
  });
});

describe("code that awaits a promise that is not its context's", () => {
  test("fails at once when nothing else is pending", async () => {
    const never = new Promise<void>(() => {});
    const end = await endOf(() => never, []);
    expect(end).toEqual([
      '0 failed Divergence: workflow "w" awaits a promise that is not its context\'s: it is ' +
        "blocked, and no activity, child, timer or event is pending",
    ]);
  });

  test("fails in its next turn when it called the context after its turn", async () => {
    const gate = createDeferred();
    const wandering = workflow("w", async (ctx) => {
      void ctx.activity("a");
      await gate.promise;
      await ctx.activity("b");
    });
    const replay = replayOf(wandering);
    expect(asked(await replay.turn([], [h.turn(1), h.start("w")]))).toEqual(["0 activity a"]);
    gate.resolve();
    await settled();
    expect(asked(await replay.turn([], [h.turn(2), h.activityDone(0)]))).toEqual([
      '1 failed Divergence: workflow "w" called activity "b" outside a turn: ' +
        "it awaited a promise that is not its context's",
    ]);
  });

  test("fails in its next turn when it ended after its turn", async () => {
    const gate = createDeferred();
    const wandering = workflow("w", async (ctx) => {
      void ctx.activity("a");
      await gate.promise;
    });
    const replay = replayOf(wandering);
    await replay.turn([], [h.turn(1), h.start("w")]);
    gate.resolve();
    await settled();
    const end = asked(await replay.turn([], [h.turn(2), h.activityDone(0)]));
    expect(end[0]).toContain('workflow "w" ended outside a turn');
  });
});
