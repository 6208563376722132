// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { history as h } from "../../../test/history.js";
import { asked, replayOf } from "../../../test/replay-of.js";
import { workflow } from "../../definition.js";

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe("Promise.all", () => {
  test("of nothing resolves at once", async () => {
    const none = workflow("none", async () => Promise.all([]));
    const outcome = await replayOf(none).turn([], [h.turn(1), h.start("none")]);
    expect(asked(outcome)).toEqual(["0 completed []"]);
  });

  const fanOut = workflow("fanOut", async (ctx, count: number) => {
    const results = await Promise.all(range(count).map((n) => ctx.activity("square", n)));
    return results.length;
  });

  test("of 100 asks for all in one turn and gives results in the order of the calls", async () => {
    const ordered = workflow("ordered", async (ctx) =>
      Promise.all(range(100).map((n) => ctx.activity("square", n))),
    );
    const replay = replayOf(ordered);
    const first = await replay.turn([], [h.turn(1), h.start("ordered")]);
    expect(first.actions).toHaveLength(100);
    const results = range(100).map((n) => h.activityDone(n, n * n));
    const last = await replay.turn([], [h.turn(2), ...results.reverse()]);
    expect(asked(last)).toEqual([`100 completed ${JSON.stringify(range(100).map((n) => n * n))}`]);
  });

  test("takes its results over many turns", async () => {
    const replay = replayOf(fanOut);
    await replay.turn([], [h.turn(1), h.start("fanOut", 10)]);
    for (const n of range(9)) {
      expect(asked(await replay.turn([], [h.turn(n + 2), h.activityDone(n)]))).toEqual([]);
    }
    const last = await replay.turn([], [h.turn(20), h.activityDone(9)]);
    expect(asked(last)).toEqual(["10 completed 10"]);
  });

  test("fails with the first failure of the history and ignores the later ones", async () => {
    const replay = replayOf(fanOut);
    await replay.turn([], [h.turn(1), h.start("fanOut", 3)]);
    const turn = [h.turn(2), h.activityFailed(2, "Second"), h.activityFailed(0, "First")];
    expect(asked(await replay.turn([], turn))).toEqual([
      '3 failed ActivityFailedError: activity "square" failed: Second of 2',
    ]);
  });

  test("of calls that have been settled already resolves", async () => {
    const late = workflow("late", async (ctx) => {
      const calls = [ctx.activity("a"), ctx.activity("b")];
      await ctx.sleep(1);
      return Promise.all(calls);
    });
    const replay = replayOf(late);
    await replay.turn([], [h.turn(1), h.start("late")]);
    await replay.turn([], [h.turn(2), h.activityDone(0, 1), h.activityDone(1, 2)]);
    const last = await replay.turn([], [h.turn(3), h.timerFired(2)]);
    expect(asked(last)).toEqual(["3 completed [1,2]"]);
  });
});

describe("Promise.race", () => {
  const racing = workflow("racing", async (ctx) =>
    Promise.race([
      ctx.sleep(10).then(() => "timer"),
      ctx.waitForEvent("go").then(() => "event"),
      ctx.activity("a").then(() => "activity"),
    ]),
  );

  test.each([
    ["timer", [h.timerFired(0), h.event("go"), h.activityDone(2)]],
    ["event", [h.event("go"), h.activityDone(2), h.timerFired(0)]],
    ["activity", [h.activityDone(2), h.timerFired(0), h.event("go")]],
  ])("is won by the %s when history has it first", async (winner, results) => {
    const replay = replayOf(racing);
    await replay.turn([], [h.turn(1), h.start("racing")]);
    const outcome = await replay.turn([], [h.turn(2), ...results]);
    expect(asked(outcome)).toEqual([`3 completed "${winner}"`]);
  });

  test("in a loop takes one event a round, also those of one turn", async () => {
    const looping = workflow("looping", async (ctx) => {
      const seen: unknown[] = [];
      const end = ctx.sleep(100).then(() => undefined);
      for (;;) {
        const next = await Promise.race([end, ctx.waitForEvent("tick")]);
        if (next === undefined) return seen;
        seen.push(next);
      }
    });
    const replay = replayOf(looping);
    await replay.turn([], [h.turn(1), h.start("looping")]);
    await replay.turn([], [h.turn(2), h.event("tick", 1), h.event("tick", 2)]);
    await replay.turn([], [h.turn(3), h.event("tick", 3)]);
    const last = await replay.turn([], [h.turn(101), h.timerFired(0)]);
    expect(asked(last).at(-1)).toMatch(/completed \[1,2,3\]$/);
  });
});

describe("Promise.allSettled and any", () => {
  test("work on durable promises", async () => {
    const settling = workflow("settling", async (ctx) => {
      const any = await Promise.any([ctx.activity("a"), ctx.activity("b")]);
      const all = await Promise.allSettled([ctx.activity("c"), ctx.activity("d")]);
      return [any, ...all.map(({ status }) => status)];
    });
    const replay = replayOf(settling);
    await replay.turn([], [h.turn(1), h.start("settling")]);
    await replay.turn([], [h.turn(2), h.activityFailed(0), h.activityDone(1, "b")]);
    const last = await replay.turn([], [h.turn(3), h.activityFailed(2), h.activityDone(3)]);
    expect(asked(last)).toEqual(['4 completed ["b","rejected","fulfilled"]']);
  });
});

describe("code between two durable awaits", () => {
  test("runs on through a chain of awaits of any length", async () => {
    const dig = async (depth: number): Promise<number> => {
      if (depth === 0) return 0;
      await undefined;
      return 1 + (await dig(depth - 1));
    };
    const deep = workflow("deep", async (ctx) => {
      const depth = await dig(5000);
      return ctx.activity("a", depth);
    });
    const outcome = await replayOf(deep).turn([], [h.turn(1), h.start("deep")]);
    expect(asked(outcome)).toEqual(["0 activity a 5000"]);
  });

  test("may be async generators and for await loops", async () => {
    async function* pages(): AsyncGenerator<number> {
      for (const page of range(50)) {
        await undefined;
        yield page;
      }
    }
    const paging = workflow("paging", async (ctx) => {
      let sum = 0;
      for await (const page of pages()) sum += page;
      return ctx.activity("a", sum);
    });
    const outcome = await replayOf(paging).turn([], [h.turn(1), h.start("paging")]);
    expect(asked(outcome)).toEqual(["0 activity a 1225"]);
  });

  test("of many instances at once does not mix them up", async () => {
    const stepping = workflow("stepping", async (ctx, n: number) => {
      for (const _ of range(n % 7)) await undefined;
      return ctx.activity("a", n);
    });
    const turns = range(50).map(async (n) =>
      asked(await replayOf(stepping).turn([], [h.turn(1), h.start("stepping", n)])),
    );
    expect(await Promise.all(turns)).toEqual(range(50).map((n) => [`0 activity a ${n}`]));
  });
});
