// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { type HistoryEvent, HistoryEventSchema, historyEvent } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { history as h } from "../../../test/history.js";
import { asked, replayOf } from "../../../test/replay-of.js";
import { activity, workflow } from "../../definition.js";

const add = activity("add", (input: number) => input + 1);

const chain = workflow("chain", async (ctx, input: number) => {
  const one = await ctx.activity(add, input);
  const two = await ctx.activity(add, one);
  return two;
});

describe("a chain", () => {
  test("asks for its first activity, numbered 0", async () => {
    const outcome = await replayOf(chain).turn([], [h.turn(1), h.start("chain", 1)]);
    expect(asked(outcome)).toEqual(["0 activity add 1"]);
    expect(outcome.hasEnded).toBe(false);
  });

  test("goes on from its cached state with the new events only", async () => {
    const replay = replayOf(chain);
    await replay.turn([], [h.turn(1), h.start("chain", 1)]);
    expect(asked(await replay.turn([], [h.turn(2), h.activityDone(0, 2)]))).toEqual([
      "1 activity add 2",
    ]);
    const last = await replay.turn([], [h.turn(3), h.activityDone(1, 3)]);
    expect(asked(last)).toEqual(["2 completed 3"]);
    expect(last.hasEnded).toBe(true);
  });

  test("replays its history and asks for what is new", async () => {
    const past = [h.turn(1), h.start("chain", 1), h.activity(0, "add")];
    const outcome = await replayOf(chain).turn(past, [h.turn(2), h.activityDone(0, 2)]);
    expect(asked(outcome)).toEqual(["1 activity add 2"]);
  });

  test("ignores a second result of one task", async () => {
    const replay = replayOf(chain);
    await replay.turn([], [h.turn(1), h.start("chain", 1)]);
    const turn = [h.turn(2), h.activityDone(0, 2), h.activityDone(0, 9), h.activityFailed(0)];
    expect(asked(await replay.turn([], turn))).toEqual(["1 activity add 2"]);
  });

  test("ignores a result of another execution's task", async () => {
    const replay = replayOf(chain);
    await replay.turn([], [h.turn(1), h.start("chain", 1)]);
    expect(asked(await replay.turn([], [h.turn(2), h.activityDone(0, 9, "other")]))).toEqual([]);
    expect(asked(await replay.turn([], [h.turn(3), h.activityDone(0, 2, "e:0")]))).toEqual([
      "1 activity add 2",
    ]);
  });

  test("passes over events that say nothing to the code", async () => {
    const past = [
      h.turn(1),
      h.start("chain", 1),
      h.activity(0, "add"),
      historyEvent(-1, 1, { case: "workflowCompleted", value: {} }),
      historyEvent(-1, 2, { case: "executionStalled", value: {} }),
      create(HistoryEventSchema, { eventId: 0 }),
    ];
    const outcome = await replayOf(chain).turn(past, [h.turn(2), h.activityDone(0, 2)]);
    expect(asked(outcome)).toEqual(["1 activity add 2"]);
  });

  test("takes a result that history has before its schedule", async () => {
    const past = [h.turn(1), h.start("chain", 1), h.activityDone(0, 2), h.activity(0, "add")];
    const outcome = await replayOf(chain).turn(past, [h.turn(2)]);
    expect(asked(outcome)).toEqual(["1 activity add 2"]);
  });

  test("takes a result that comes before the code asks, and does not ask", async () => {
    const past = [h.turn(1), h.activityDone(1, 7), h.start("chain", 1), h.activity(0, "add")];
    const outcome = await replayOf(chain).turn(past, [h.turn(2), h.activityDone(0, 2)]);
    expect(asked(outcome)).toEqual(["2 completed 7"]);
  });

  test("takes an early result for a task of its kind and number only", async () => {
    const napping = workflow("napping", async (ctx) => {
      await ctx.activity("add");
      await ctx.sleep(10);
    });
    for (const [code, early, next] of [
      [chain, [h.timerFired(1), h.childDone(1, 9)], "1 activity add 2"],
      [napping, [h.activityDone(1, 9), h.childDone(1, 9)], "1 timer createTimer at 12"],
      [chain, [h.activityDone(1, 7), h.activityDone(1, 8), h.activityFailed(1)], "2 completed 7"],
    ] as const) {
      const past = [h.turn(1), ...early, h.start(code.name, 1)];
      const outcome = await replayOf(code).turn(past, [h.turn(2), h.activityDone(0, 2)]);
      expect(asked(outcome)).toEqual([next]);
    }
  });

  test("resolves a task by a result of its kind only", async () => {
    const replay = replayOf(chain);
    await replay.turn([], [h.turn(1), h.start("chain", 1)]);
    const others = [h.turn(2), h.timerFired(0), h.childDone(0, 9), h.childFailed(0, "Oops")];
    expect(asked(await replay.turn([], others))).toEqual([]);
    expect(asked(await replay.turn([], [h.turn(3), h.activityDone(0, 2)]))).toEqual([
      "1 activity add 2",
    ]);
    const napping = replayOf(workflow("napping", (ctx) => ctx.sleep(10)));
    await napping.turn([], [h.turn(1), h.start("napping")]);
    expect(asked(await napping.turn([], [h.turn(2), h.activityDone(0)]))).toEqual([]);
  });

  test("forgets an early result of the same turn that nobody asked for", async () => {
    const replay = replayOf(chain);
    await replay.turn([], [h.turn(1), h.start("chain", 1), h.activityDone(1, 7)]);
    expect(asked(await replay.turn([], [h.turn(2), h.activityDone(0, 2)]))).toEqual([
      "1 activity add 2",
    ]);
  });
});

describe("suspend, resume, terminate", () => {
  test("a suspended instance asks for nothing and goes on where it was", async () => {
    const replay = replayOf(chain);
    await replay.turn([], [h.turn(1), h.start("chain", 1)]);
    const held = await replay.turn([], [h.turn(2), h.suspend(), h.activityDone(0, 2)]);
    expect(asked(held)).toEqual([]);
    expect(asked(await replay.turn([], [h.turn(3), h.suspend()]))).toEqual([]);
    expect(asked(await replay.turn([], [h.turn(4), h.resume()]))).toEqual(["1 activity add 2"]);
  });

  test("an instance suspended in its first turn asks after it is resumed", async () => {
    const first = [h.turn(1), h.start("chain", 1), h.suspend()];
    const replay = replayOf(chain);
    expect(asked(await replay.turn([], first))).toEqual([]);
    expect(asked(await replay.turn([], [h.turn(2), h.resume()]))).toEqual(["0 activity add 1"]);
    const replayed = await replayOf(chain).turn(first, [h.turn(2), h.resume()]);
    expect(asked(replayed)).toEqual(["0 activity add 1"]);
  });

  test("what was held back comes at the instant of its own turn", async () => {
    const timing = workflow("timing", async (ctx) => {
      await ctx.activity("add");
      const first = ctx.now();
      await ctx.activity("add");
      return [first, ctx.now()];
    });
    const replay = replayOf(timing);
    await replay.turn([], [h.turn(1), h.start("timing")]);
    await replay.turn([], [h.turn(20), h.suspend(), h.turn(30), h.activityDone(0)]);
    const resumed = await replay.turn([], [h.turn(40), h.resume()]);
    expect(asked(resumed)).toEqual(["1 activity add"]);
    const last = await replay.turn([], [h.turn(50), h.activityDone(1)]);
    expect(asked(last)).toEqual(["2 completed [30,50]"]);
  });

  test("terminate works while suspended and gives its output", async () => {
    const replay = replayOf(chain);
    await replay.turn([], [h.turn(1), h.start("chain", 1), h.suspend()]);
    const outcome = await replay.turn([], [h.turn(2), h.terminate("enough")]);
    expect(asked(outcome)).toEqual(['1 terminated "enough"']);
  });

  test("terminate wins over a completion that the suspension holds back", async () => {
    const replay = replayOf(workflow("quick", async () => "done"));
    expect(asked(await replay.turn([], [h.turn(1), h.start("quick"), h.suspend()]))).toEqual([]);
    const outcome = await replay.turn([], [h.turn(2), h.terminate("enough")]);
    expect(asked(outcome)).toEqual(['0 terminated "enough"']);
  });

  test("terminate drops the rest of its turn", async () => {
    const replay = replayOf(chain);
    await replay.turn([], [h.turn(1), h.start("chain", 1)]);
    const outcome = await replay.turn([], [h.turn(2), h.terminate(), h.activityDone(0, 2)]);
    expect(asked(outcome)).toEqual(["1 terminated"]);
  });

  test("a completion before the terminate wins", async () => {
    const quick = workflow("quick", async () => "done");
    const outcome = await replayOf(quick).turn([], [h.turn(1), h.start("quick"), h.terminate()]);
    expect(asked(outcome)).toEqual(['0 completed "done"']);
  });
});

describe("continueAsNew()", () => {
  const counting = workflow("counting", async (ctx, input: { n: number; keepEvents: boolean }) => {
    void ctx.activity("lost");
    await ctx.waitForEvent("go");
    return ctx.continueAsNew({ n: input.n + 1 }, { keepEvents: input.keepEvents });
  });

  test("takes effect at once and carries over what nobody took, in order", async () => {
    const replay = replayOf(counting);
    const start = h.start("counting", { n: 1, keepEvents: true });
    const events = [h.event("x", 1), h.event("go"), h.event("go", 2), h.event("x", 3)];
    const outcome = await replay.turn([], [h.turn(1), start, ...events]);
    expect(asked(outcome)).toEqual(['2 continued_as_new {"n":2}']);
    const type = outcome.actions[0]?.workflowActionType;
    const carried = type?.case === "completeWorkflow" ? type.value.carryoverEvents : [];
    expect(carried).toEqual([events[0], events[2], events[3]]);
  });

  test("drops them when keepEvents is false", async () => {
    const start = h.start("counting", { n: 1, keepEvents: false });
    const turn = [h.turn(1), start, h.event("go"), h.event("go")];
    const outcome = await replayOf(counting).turn([], turn);
    const type = outcome.actions[0]?.workflowActionType;
    expect(type?.case === "completeWorkflow" && type.value.carryoverEvents).toEqual([]);
  });

  test("carries over what comes after it, though the code still waits for it", async () => {
    const racing = workflow("racing", async (ctx) => {
      void ctx.waitForEvent("other");
      await ctx.waitForEvent("go");
      return ctx.continueAsNew();
    });
    const late = h.event("other", 1);
    const outcome = await replayOf(racing).turn(
      [],
      [h.turn(1), h.start("racing"), h.event("go"), late],
    );
    const type = outcome.actions[0]?.workflowActionType;
    expect(type?.case === "completeWorkflow" && type.value.carryoverEvents).toEqual([late]);
  });

  test("gives way to a terminate of the same turn", async () => {
    const start = h.start("counting", { n: 1, keepEvents: true });
    const turn = [h.turn(1), start, h.event("go"), h.terminate()];
    expect(asked(await replayOf(counting).turn([], turn))).toEqual(["2 terminated"]);
  });
});

describe("the context", () => {
  test("tells the time of the turn", async () => {
    const timing = workflow("timing", async (ctx) => {
      const before = ctx.now();
      await ctx.sleep(10);
      return [before, ctx.now()];
    });
    const replay = replayOf(timing);
    expect(asked(await replay.turn([], [h.turn(100), h.start("timing")]))).toEqual([
      "0 timer createTimer at 110",
    ]);
    expect(asked(await replay.turn([], [h.turn(117), h.timerFired(0)]))).toEqual([
      "1 completed [100,117]",
    ]);
  });

  test("gives the same random numbers and ids on every replay", async () => {
    const dice = workflow("dice", async (ctx) => [ctx.random(), ctx.uuid(), ctx.random()]);
    const first = await replayOf(dice).turn([], [h.turn(1), h.start("dice")]);
    const second = await replayOf(dice).turn([], [h.turn(2), h.start("dice")]);
    expect(asked(first)).toEqual(asked(second));
  });

  test("draws them from the execution that history begins with, as after a rerun", async () => {
    const dice = workflow("dice", async (ctx) => [ctx.random(), ctx.uuid()]);
    const startOf = (executionId: string): HistoryEvent =>
      historyEvent(-1, 0, {
        case: "executionStarted",
        value: { name: "dice", workflowInstance: { instanceId: "first", executionId } },
      });
    const drawn = async (start: HistoryEvent): Promise<string[]> =>
      asked(await replayOf(dice).turn([], [h.turn(1), start]));
    expect(await drawn(startOf("e"))).toEqual(await drawn(h.start("dice")));
    expect(await drawn(startOf("f"))).not.toEqual(await drawn(h.start("dice")));
  });

  test("logs only what is new", async () => {
    const lines: string[] = [];
    const write = (_facts: unknown, message: string): void => void lines.push(message);
    const log = { info: write, warn: write, error: write };
    const talking = workflow("talking", async (ctx) => {
      ctx.log.info({}, `first ${ctx.isReplaying}`);
      await ctx.activity("add");
      ctx.log.warn({}, `second ${ctx.isReplaying}`);
    });
    const past = [h.turn(1), h.start("talking"), h.activity(0, "add")];
    await replayOf(talking, log).turn(past, [h.turn(2), h.activityDone(0)]);
    expect(lines).toEqual(["second false"]);
  });

  test("publishes a custom status with every turn until it is cleared", async () => {
    const telling = workflow("telling", async (ctx) => {
      ctx.setCustomStatus({ step: 1 });
      await ctx.activity("add");
      await ctx.activity("add");
      ctx.setCustomStatus(undefined);
    });
    const replay = replayOf(telling);
    const first = await replay.turn([], [h.turn(1), h.start("telling")]);
    const second = await replay.turn([], [h.turn(2), h.activityDone(0)]);
    const last = await replay.turn([], [h.turn(3), h.activityDone(1)]);
    expect([first, second, last].map(({ customStatus }) => customStatus)).toEqual([
      '{"step":1}',
      '{"step":1}',
      undefined,
    ]);
  });
});

test("a long replay lets the process do other things, wherever in its history the code is woken", async () => {
  const pairs = workflow("pairs", async (ctx) => {
    for (;;) await Promise.all([ctx.activity("a"), ctx.activity("b")]);
  });
  const past = [h.turn(1), h.start("pairs")];
  for (let id = 0; past.length < 5000; id += 2) {
    past.push(h.activity(id, "a"), h.activity(id + 1, "b"));
    past.push(h.turn(id), h.activityDone(id), h.activityDone(id + 1));
  }
  let breaths = 0;
  let next: NodeJS.Immediate | undefined;
  const breathe = (): void => {
    breaths += 1;
    next = setImmediate(breathe);
  };
  next = setImmediate(breathe);
  await replayOf(pairs).turn(past, []);
  clearImmediate(next);
  expect(breaths).toBeGreaterThanOrEqual(8);
});
