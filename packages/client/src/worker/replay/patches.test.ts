// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { history as h } from "../../../test/history.js";
import { asked, replayOf } from "../../../test/replay-of.js";
import { activity, workflow } from "../../definition.js";

const step = activity("step", (_input: string) => {});

/** Runs a step, and a second one where the execution has the patch. */
const patched = workflow("patched", async (ctx) => {
  await ctx.activity(step, "first");
  if (ctx.isPatched("more")) await ctx.activity(step, "second");
  return ctx.isPatched("more");
});

const began = [h.turn(1), h.start("patched"), h.activity(0, "step")];

describe("isPatched()", () => {
  test("is true for what begins now, and says so with every turn from then on", async () => {
    const replay = replayOf(patched);
    expect((await replay.turn([], [h.turn(1), h.start("patched")])).patches).toBeUndefined();
    const second = await replay.turn([], [h.turn(2), h.activityDone(0)]);
    expect(asked(second)).toEqual(['1 activity step "second"']);
    expect(second.patches).toEqual(["more"]);
    const last = await replay.turn([], [h.turn(3), h.activityDone(1)]);
    expect(asked(last)).toEqual(["2 completed true"]);
    expect(last.patches).toEqual(["more"]);
  });

  test("is true where history says so, on every replay", async () => {
    const past = [...began, h.turn(2, "more"), h.activityDone(0), h.activity(1, "step")];
    const outcome = await replayOf(patched).turn(past, [h.turn(3), h.activityDone(1)]);
    expect(asked(outcome)).toEqual(["2 completed true"]);
    expect(outcome.patches).toEqual(["more"]);
  });

  test("is true when an instance comes to the place after the change", async () => {
    const outcome = await replayOf(patched).turn(began, [h.turn(2), h.activityDone(0)]);
    expect(asked(outcome)).toEqual(['1 activity step "second"']);
  });

  test("is false where history passed without it, and stays so in new work", async () => {
    const twice = workflow("twice", async (ctx) => {
      if (ctx.isPatched("early")) await ctx.activity(step, "new");
      await ctx.activity(step, "old");
      return [ctx.isPatched("early"), ctx.isPatched("late")];
    });
    const past = [h.turn(1), h.start("twice"), h.activity(0, "step")];
    const outcome = await replayOf(twice).turn(past, [h.turn(2), h.activityDone(0)]);
    expect(asked(outcome)).toEqual(["1 completed [false,true]"]);
    expect(outcome.patches).toEqual(["late"]);
  });

  test("is known from all of history before events that were held back are replayed", async () => {
    const past = [
      ...began,
      ...[h.turn(2), h.suspend()],
      ...[h.turn(3), h.activityDone(0)],
      ...[h.turn(4, "more"), h.resume(), h.activity(1, "step")],
    ];
    const outcome = await replayOf(patched).turn(past, [h.turn(5), h.activityDone(1)]);
    expect(asked(outcome)).toEqual(["2 completed true"]);
  });

  test("is reported once a name, in the order of the code", async () => {
    const many = workflow("many", async (ctx) => {
      return ["b", "a", "b"].map((patch) => ctx.isPatched(patch));
    });
    const outcome = await replayOf(many).turn([], [h.turn(1), h.start("many")]);
    expect(outcome.patches).toEqual(["b", "a"]);
  });

  test("is false once the code has ended", async () => {
    const seen: boolean[] = [];
    const late = workflow("late", async (ctx) => {
      void ctx.activity(step, "x").then(() => seen.push(ctx.isPatched("more")));
      void ctx.continueAsNew();
      seen.push(ctx.isPatched("more"));
    });
    const outcome = await replayOf(late).turn([], [h.turn(1), h.start("late")]);
    expect(seen).toEqual([false]);
    expect(outcome.patches).toBeUndefined();
  });
});
