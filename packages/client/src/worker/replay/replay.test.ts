// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { history as h } from "../../../test/history.js";
import { asked, replayOf } from "../../../test/replay-of.js";
import { activity, event, workflow } from "../../definition.js";
import { ActivityFailedError, ChildFailedError, EventTimeoutError } from "../../errors.js";

const add = activity("add", (input: number) => input + 1);
const paid = event<{ amount: number }>("Paid");

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
    expect(asked(await replay.turn([], [h.turn(3), h.activityDone(0, 2, "id-1")]))).toEqual([
      "1 activity add 2",
    ]);
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

  test("forgets an early result of the same turn that nobody asked for", async () => {
    const replay = replayOf(chain);
    await replay.turn([], [h.turn(1), h.start("chain", 1), h.activityDone(1, 7)]);
    expect(asked(await replay.turn([], [h.turn(2), h.activityDone(0, 2)]))).toEqual([
      "1 activity add 2",
    ]);
  });
});

describe("failures", () => {
  test("an uncaught error fails the instance with its name and message", async () => {
    const failing = workflow("failing", async () => {
      throw new RangeError("too far");
    });
    const outcome = await replayOf(failing).turn([], [h.turn(1), h.start("failing")]);
    expect(asked(outcome)).toEqual(["0 failed RangeError: too far"]);
  });

  test("an activity's failure reaches the code with its type", async () => {
    const catching = workflow("catching", async (ctx) => {
      try {
        await ctx.activity("add");
      } catch (error) {
        if (!(error instanceof ActivityFailedError)) throw error;
        return [error.failure.type, error.taskId, String(error.cause)];
      }
      return [];
    });
    const replay = replayOf(catching);
    await replay.turn([], [h.turn(1), h.start("catching")]);
    const outcome = await replay.turn([], [h.turn(2), h.activityFailed(0, "Declined")]);
    expect(asked(outcome)).toEqual(['1 completed ["Declined",0,"Declined: Declined of 0"]']);
  });

  test("a terminated child fails its call", async () => {
    const parent = workflow("parent", async (ctx) => {
      const error = await ctx.child("kid").catch((reason: unknown) => reason);
      return error instanceof ChildFailedError ? error.failure.type : "";
    });
    const replay = replayOf(parent);
    const first = await replay.turn([], [h.turn(1), h.start("parent")]);
    expect(asked(first)).toEqual(["0 child kid i:0000"]);
    const outcome = await replay.turn([], [h.turn(2), h.childFailed(0)]);
    expect(asked(outcome)).toEqual(['1 completed "Terminated"']);
  });

  test("a failure that is awaited later is not an unhandled one", async () => {
    const late = workflow("late", async (ctx) => {
      const call = ctx.activity("add");
      await ctx.sleep(5);
      return call.then(
        () => "fine",
        () => "failed",
      );
    });
    const replay = replayOf(late);
    await replay.turn([], [h.turn(1), h.start("late")]);
    await replay.turn([], [h.turn(2), h.activityFailed(0)]);
    const outcome = await replay.turn([], [h.turn(6), h.timerFired(1)]);
    expect(asked(outcome)).toEqual(['2 completed "failed"']);
  });

  test("un-awaited activities are kept when the code returns", async () => {
    const hasty = workflow("hasty", async (ctx) => {
      void ctx.activity("audit");
      ctx.sendEvent("other", "ping", 1);
      return "done";
    });
    const outcome = await replayOf(hasty).turn([], [h.turn(1), h.start("hasty")]);
    expect(asked(outcome)).toEqual(["0 activity audit", "1 send ping 1", '2 completed "done"']);
  });
});

describe("retries", () => {
  const retrying = workflow("retrying", (ctx) =>
    ctx.activity("flaky", 1, {
      retry: { maxAttempts: 3, firstIntervalMs: 10, backoffCoefficient: 2 },
    }),
  );

  test("are timers and new tasks with the same taskExecutionId", async () => {
    const replay = replayOf(retrying);
    const first = await replay.turn([], [h.turn(100), h.start("retrying")]);
    const second = await replay.turn([], [h.turn(200), h.activityFailed(0)]);
    expect(asked(second)).toEqual(["1 timer activityRetry flaky at 210"]);
    const third = await replay.turn([], [h.turn(211), h.timerFired(1)]);
    expect(asked(third)).toEqual(["2 activity flaky 1"]);
    const ids = [first, third].map(({ actions: [action] }) =>
      action?.workflowActionType.case === "scheduleTask"
        ? action.workflowActionType.value.taskExecutionId
        : "",
    );
    expect(ids).toEqual(["id-1", "id-1"]);
    const fourth = await replay.turn([], [h.turn(300), h.activityFailed(2)]);
    expect(asked(fourth)).toEqual(["3 timer activityRetry flaky at 320"]);
    await replay.turn([], [h.turn(320), h.timerFired(3)]);
    const last = await replay.turn([], [h.turn(400), h.activityFailed(4)]);
    expect(asked(last)).toEqual([
      '5 failed ActivityFailedError: activity "flaky" failed: Error of 4',
    ]);
  });

  test("keep the taskExecutionId that history has", async () => {
    const past = [
      h.turn(100),
      h.start("retrying"),
      h.activity(0, "flaky", "first"),
      h.turn(200),
      h.activityFailed(0),
      h.retryTimer(1, 210, "flaky"),
    ];
    const outcome = await replayOf(retrying).turn(past, [h.turn(210), h.timerFired(1)]);
    const type = outcome.actions[0]?.workflowActionType;
    expect(type?.case === "scheduleTask" && type.value.taskExecutionId).toBe("first");
  });

  test("a child's attempts get ids of their own and name the first", async () => {
    const parent = workflow("parent", (ctx) =>
      ctx.child("kid", 1, { retry: { maxAttempts: 2, firstIntervalMs: 10 } }),
    );
    const replay = replayOf(parent);
    await replay.turn([], [h.turn(100), h.start("parent")]);
    const pause = await replay.turn([], [h.turn(200), h.childFailed(0, "Oops")]);
    expect(asked(pause)).toEqual(["1 timer childWorkflowRetry kid at 210"]);
    const again = await replay.turn([], [h.turn(210), h.timerFired(1)]);
    expect(asked(again)).toEqual(["2 child kid i:0002 1"]);
    const type = again.actions[0]?.workflowActionType;
    expect(type?.case === "createChildWorkflow" && type.value.retryParentInstanceInfo).toEqual(
      expect.objectContaining({ instanceID: "i:0000" }),
    );
    expect(asked(await replay.turn([], [h.turn(211), h.childDone(2, "ok")]))).toEqual([
      '3 completed "ok"',
    ]);
  });
});

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

  test("that come before the wait take no timer and no number", async () => {
    const late = workflow("late", async (ctx) => {
      await ctx.activity("add");
      return ctx.waitForEvent("paid");
    });
    const replay = replayOf(late);
    await replay.turn([], [h.turn(1), h.start("late")]);
    await replay.turn([], [h.turn(2), h.event("paid", 5)]);
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

  test("terminate works while suspended and gives its output", async () => {
    const replay = replayOf(chain);
    await replay.turn([], [h.turn(1), h.start("chain", 1), h.suspend()]);
    const outcome = await replay.turn([], [h.turn(2), h.terminate("enough")]);
    expect(asked(outcome)).toEqual(['1 terminated "enough"']);
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
