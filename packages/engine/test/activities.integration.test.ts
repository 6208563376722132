// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { child, complete, continueWith, fail, failure, schedule, timer } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import type { Workflow } from "./replay.js";
import { eventsOf, kinds, pastOf } from "./scripted-worker.js";

describe("a workflow of activities", () => {
  test("runs them one after the other", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows, tasks });
    const { instanceId } = await under.engine.start({ workflow: "chain", input: "ab" });
    const ended = await under.engine.waitForCompletion(instanceId);
    expect(ended).toMatchObject({ status: "completed", output: "ab".repeat(8), input: "ab" });
    expect(worker.activities.map((item) => item.input)).toEqual(["ab", "abab", "abababab"]);
    expect(worker.activities.map((item) => item.taskId)).toEqual([0, 1, 2]);
    await under.engine.close();
  });

  test("has the history that Durable Task has", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, tasks });
    await under.engine.start({ workflow: "chain", instanceId: "a", input: "x" });
    await under.engine.waitForCompletion("a");
    expect(kinds(await under.engine.history("a"))).toEqual([
      ...["workflowStarted", "executionStarted", "taskScheduled"],
      ...["workflowStarted", "taskCompleted", "taskScheduled"],
      ...["workflowStarted", "taskCompleted", "taskScheduled"],
      ...["workflowStarted", "taskCompleted", "executionCompleted"],
    ]);
    await under.engine.close();
  });

  test("runs them side by side and joins their results", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows, tasks });
    await under.engine.start({ workflow: "fanOut", instanceId: "a", input: "x,y,z" });
    const ended = await under.engine.waitForCompletion("a");
    expect(ended.output).toBe("xx+yy+zz");
    expect(worker.activities).toHaveLength(3);
    await under.engine.close();
  });

  test("carries a thousand at once", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, tasks });
    const input = Array.from({ length: 1000 }, (_, index) => index).join(",");
    await under.engine.start({ workflow: "fanOut", instanceId: "a", input });
    const ended = await under.engine.waitForCompletion("a");
    expect(ended.output?.split("+")).toHaveLength(1000);
    await under.engine.close();
  });

  test("gives the worker what the activity needs", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    const { executionId } = await under.engine.start({ workflow: "w", instanceId: "a" });
    const charge = schedule(5, "charge", '"x"');
    if (charge.workflowActionType.case === "scheduleTask") {
      charge.workflowActionType.value.version = "2";
    }
    await worker.completeTurn(worker.lastTurn(), [charge]);
    expect(worker.lastActivity()).toMatchObject({
      kind: "activity",
      instanceId: "a",
      executionId,
      taskId: 5,
      name: "charge",
      input: '"x"',
      taskExecutionId: "call-5",
      version: "2",
    });
    await under.engine.close();
  });
});

describe("the trace of a start's caller", () => {
  const traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  test("goes with activities and children, and ends with the execution", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a", traceParent });
    await worker.completeTurn(await worker.turn(), [schedule(0, "x"), child(1, "w", "c")]);
    expect((await worker.activity()).traceParent).toBe(traceParent);
    const ofChild = await worker.turn(2);
    await worker.completeTurn(ofChild, [schedule(0, "x")]);
    expect(ofChild.instanceId).toBe("c");
    expect((await worker.activity(2)).traceParent).toBe(traceParent);
    await under.engine.raiseEvent("c", "go");
    await worker.completeTurn(await worker.turn(3), [continueWith(1)]);
    await worker.completeTurn(await worker.turn(4), [schedule(0, "x")]);
    const { traceParent: next } = await worker.activity(3);
    expect(next).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(next).not.toBe(traceParent);
    await under.engine.close();
  });

  test("is none where there was none", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a", traceParent: "not one" });
    await worker.completeTurn(await worker.turn(), [schedule(0, "x")]);
    expect(await worker.activity()).not.toHaveProperty("traceParent");
    await under.engine.close();
  });
});

describe("a failure", () => {
  const brave: Workflow = function* (context) {
    try {
      yield context.activity("refuse");
    } catch (error) {
      return `saved from ${error instanceof Error ? error.message : error}`;
    }
    return "never";
  };
  const timid: Workflow = function* (context) {
    yield context.activity("refuse");
    return "never";
  };

  test("of an activity can be handled by the workflow", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows: { brave }, tasks });
    await under.engine.start({ workflow: "brave", instanceId: "a" });
    expect(await under.engine.waitForCompletion("a")).toMatchObject({
      status: "completed",
      output: "saved from Refused",
    });
    await under.engine.close();
  });

  test("that nobody handles fails the instance, with its details", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows: { timid }, tasks });
    await under.engine.start({ workflow: "timid", instanceId: "a" });
    const ended = await under.engine.waitForCompletion("a");
    expect(ended).toMatchObject({
      status: "failed",
      failure: { type: "Refused", message: "the workflow failed: Refused", nonRetriable: false },
    });
    expect(ended).not.toHaveProperty("output");
    await under.engine.close();
  });

  test("keeps stack, cause and non-retriable mark", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ workflows: ["w"] });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const details = failure("Outer", "it broke");
    details.stackTrace = "at line 1";
    details.isNonRetriable = true;
    details.innerFailure = failure("Inner", "the cause");
    await worker.completeTurn(worker.lastTurn(), [fail(0, details)]);
    expect((await under.engine.get("a"))?.failure).toEqual({
      type: "Outer",
      message: "it broke",
      stackTrace: "at line 1",
      nonRetriable: true,
      cause: { type: "Inner", message: "the cause", nonRetriable: false },
    });
    await under.engine.close();
  });
});

describe("an activity that nobody awaits", () => {
  test("runs all the same when the instance has ended", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ tasks });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    worker.isHolding = true;
    await worker.completeTurn(worker.lastTurn(), [schedule(0, "double", "x"), complete(1)]);
    expect(await under.engine.get("a")).toMatchObject({ status: "completed" });
    expect(worker.activities).toHaveLength(1);
    const length = (await under.engine.get("a"))?.historyLength;
    worker.letGo();
    await under.engine.idle();
    expect((await under.engine.get("a"))?.historyLength).toBe(length);
    expect(worker.refusals).toEqual([]);
    await under.engine.close();
  });

  test("runs after a crash, and not again once it has run", async () => {
    const before = await EngineUnderTest.open();
    const first = before.connect({});
    await before.engine.start({ workflow: "w", instanceId: "a" });
    await first.completeTurn(first.lastTurn(), [schedule(0, "double", "x"), complete(1)]);
    const after = await before.crash();
    const worker = after.connect({ tasks });
    await after.engine.idle();
    expect(worker.activities).toHaveLength(1);
    const again = await after.crash();
    const idle = again.connect({ tasks });
    await again.engine.idle();
    expect(idle.items).toEqual([]);
    await again.engine.close();
  });

  test("arms no timer for an instance that ends", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(worker.lastTurn(), [timer(0, 2_000_000), complete(1)]);
    expect(await under.engine.nextTimerAt()).toBeUndefined();
    const after = await under.crash();
    expect(await after.engine.nextTimerAt()).toBeUndefined();
    expect(kinds(await after.engine.history("a"))).toContain("timerCreated");
    await after.engine.close();
  });
});

describe("results of activities", () => {
  test("that come together share a turn", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows, tasks });
    worker.isHolding = true;
    await under.engine.start({ workflow: "fanOut", instanceId: "a", input: "x,y,z" });
    const [turn] = worker.turns;
    if (turn === undefined) throw new Error("no turn came");
    worker.answer(turn);
    await worker.activity(3);
    worker.letGo();
    await under.engine.waitForCompletion("a");
    expect(worker.activities).toHaveLength(3);
    const history = await under.engine.history("a");
    expect(kinds(history).filter((kind) => kind === "taskCompleted")).toHaveLength(3);
    await under.engine.close();
  });

  test("are given with past and new events apart", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows, tasks });
    await under.engine.start({ workflow: "chain", instanceId: "a", input: "x" });
    await under.engine.waitForCompletion("a");
    const second = worker.turns[1];
    if (second === undefined) throw new Error("no second turn");
    expect(kinds(pastOf(second))).toEqual(["workflowStarted", "executionStarted", "taskScheduled"]);
    expect(kinds(eventsOf(second))).toEqual(["workflowStarted", "taskCompleted"]);
    expect(second).toMatchObject({ cachedEventCount: 0, pastEventCount: 3 });
    await under.engine.close();
  });
});
