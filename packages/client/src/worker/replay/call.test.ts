// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { history as h } from "../../../test/history.js";
import { asked, replayOf } from "../../../test/replay-of.js";
import { workflow } from "../../definition.js";
import { ActivityFailedError, ChildFailedError } from "../../errors.js";

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

  test.each([
    ["returns", '2 completed "done"'],
    ["throws", "2 failed Error: done"],
  ])("un-awaited activities are kept when the code %s", async (how, end) => {
    const hasty = workflow("hasty", async (ctx) => {
      void ctx.activity("audit");
      ctx.sendEvent("other", "ping", 1);
      if (how === "throws") throw new Error("done");
      return "done";
    });
    const outcome = await replayOf(hasty).turn([], [h.turn(1), h.start("hasty")]);
    expect(asked(outcome)).toEqual(["0 activity audit", "1 send ping 1", end]);
  });
});

test("no two children without an id of their own share one, however many there are", async () => {
  const many = workflow("many", async (ctx) => {
    const first = ctx.child("kid");
    for (let sent = 1; sent < 0x10000; sent += 1) ctx.sendEvent("other", "ping");
    await Promise.all([first, ctx.child("kid")]);
  });
  const outcome = await replayOf(many).turn([], [h.turn(1), h.start("many")]);
  const children = asked(outcome).filter((action) => action.includes("child"));
  expect(children).toEqual(["0 child kid i:0000", "65536 child kid i:10000"]);
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
    expect(ids).toEqual(["e:0", "e:0"]);
    const fourth = await replay.turn([], [h.turn(300), h.activityFailed(2)]);
    expect(asked(fourth)).toEqual(["3 timer activityRetry flaky at 320"]);
    await replay.turn([], [h.turn(320), h.timerFired(3)]);
    const last = await replay.turn([], [h.turn(400), h.activityFailed(4)]);
    expect(asked(last)).toEqual([
      '5 failed ActivityFailedError: activity "flaky" failed: Error of 4',
    ]);
  });

  test("have pauses that say what is tried again: the call, or the first child", async () => {
    const both = workflow("both", async (ctx) => {
      const retry = { maxAttempts: 3, firstIntervalMs: 10 };
      await Promise.all([ctx.activity("flaky", 1, { retry }), ctx.child("kid", 1, { retry })]);
    });
    const replay = replayOf(both);
    await replay.turn([], [h.turn(100), h.start("both")]);
    const pauses = async (...events: HistoryEvent[]): Promise<unknown[]> => {
      const { actions } = await replay.turn([], [h.turn(200), ...events]);
      return actions.map(({ workflowActionType: type }) =>
        type.case === "createTimer" ? [type.value.origin.case, type.value.origin.value] : type.case,
      );
    };
    const origins = [
      ["activityRetry", expect.objectContaining({ taskExecutionId: "e:0" })],
      ["childWorkflowRetry", expect.objectContaining({ instanceId: "i:0001" })],
    ];
    expect(await pauses(h.activityFailed(0), h.childFailed(1, "Oops"))).toEqual(origins);
    const again = await pauses(h.timerFired(2), h.timerFired(3));
    expect(again).toEqual(["scheduleTask", "createChildWorkflow"]);
    expect(await pauses(h.activityFailed(4), h.childFailed(5, "Oops"))).toEqual(origins);
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

  test("a child's attempts keep the id that it was given", async () => {
    const parent = workflow("parent", (ctx) =>
      ctx.child("kid", 1, { instanceId: "own", retry: { maxAttempts: 2, firstIntervalMs: 10 } }),
    );
    const replay = replayOf(parent);
    const first = await replay.turn([], [h.turn(100), h.start("parent")]);
    await replay.turn([], [h.turn(200), h.childFailed(0, "Oops")]);
    const again = await replay.turn([], [h.turn(210), h.timerFired(1)]);
    expect([...asked(first), ...asked(again)]).toEqual(["0 child kid own 1", "2 child kid own 1"]);
  });

  test("a terminated child is not tried again", async () => {
    const retry = { maxAttempts: 2, firstIntervalMs: 10 };
    const replay = replayOf(workflow("parent", (ctx) => ctx.child("kid", 1, { retry })));
    await replay.turn([], [h.turn(100), h.start("parent")]);
    const end = asked(await replay.turn([], [h.turn(200), h.childFailed(0)]));
    expect(end[0]).toMatch(/^1 failed ChildFailedError/);
  });

  test("a child's attempts get ids of their own and name the first", async () => {
    const parent = workflow("parent", (ctx) =>
      ctx.child("kid", 1, { retry: { maxAttempts: 2, firstIntervalMs: 10 } }),
    );
    const replay = replayOf(parent);
    const { actions } = await replay.turn([], [h.turn(100), h.start("parent")]);
    expect(actions[0]?.workflowActionType.value).not.toHaveProperty("retryParentInstanceInfo");
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
