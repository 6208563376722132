// SPDX-License-Identifier: Apache-2.0

import { fromTimestamp } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { complete, schedule, timer } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import type { Workflow } from "./replay.js";
import { kinds } from "./scripted-worker.js";

const start = 1_000_000;

/** Waits for the event "go" as Durable Task's Go worker does: with a timer that bounds the wait. */
const oneWait: Workflow = function* (context) {
  yield [context.event("go")];
  return "went";
};

async function open(): Promise<EngineUnderTest> {
  const under = await EngineUnderTest.open();
  under.connect({ flows: { ...flows, oneWait }, tasks });
  return under;
}

describe("the history of", () => {
  test.each([
    ["a workflow that does nothing", "echo", "x", ["executionCompleted"]],
    [
      "one child",
      "parent",
      "echo c x",
      [
        "childWorkflowInstanceCreated",
        "workflowStarted",
        "childWorkflowInstanceCompleted",
        "executionCompleted",
      ],
    ],
    [
      "one timer",
      "sleep",
      `${start}`,
      ["timerCreated", "workflowStarted", "timerFired", "executionCompleted"],
    ],
    [
      "one activity",
      "fanOut",
      "x",
      ["taskScheduled", "workflowStarted", "taskCompleted", "executionCompleted"],
    ],
  ])("%s is one start a turn, what came, what was asked", async (_, workflow, input, rest) => {
    const { engine } = await open();
    await engine.start({ workflow, instanceId: "a", input });
    await engine.waitForCompletion("a");
    expect(kinds(await engine.history("a"))).toEqual([
      "workflowStarted",
      "executionStarted",
      ...rest,
    ]);
    await engine.close();
  });

  test("one awaited event has the wait's timer, and no firing of it", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [timer(0, start + 5000, "go")]);
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(2), [complete(1)]);
    await under.runUntil(start + 6000);
    expect(kinds(await under.engine.history("a"))).toEqual([
      ...["workflowStarted", "executionStarted", "timerCreated"],
      ...["workflowStarted", "eventRaised", "executionCompleted"],
    ]);
    await under.engine.close();
  });

  test("a turn has what came in its order, then actions by their numbers", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await under.engine.raiseEvent("a", "one");
    await under.engine.suspend("a");
    await under.engine.resume("a");
    await under.engine.raiseEvent("a", "two");
    const worker = under.connect({ workflows: ["w"], activities: [] });
    await worker.completeTurn(await worker.turn(), [schedule(0, "x"), timer(1, 9e6), complete(2)]);
    const history = await under.engine.history("a");
    expect(history.map(({ eventType, eventId }) => [eventType.case, eventId])).toEqual([
      ["workflowStarted", -1],
      ["executionStarted", -1],
      ["eventRaised", -1],
      ["executionSuspended", -1],
      ["executionResumed", -1],
      ["eventRaised", -1],
      ["taskScheduled", 0],
      ["timerCreated", 1],
      ["executionCompleted", 2],
    ]);
    await under.engine.close();
  });

  test("an id that nobody has is refused", async () => {
    const { engine } = await open();
    await expect(engine.history("nobody")).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
    await engine.close();
  });

  test("a pending instance is empty", async () => {
    const { engine } = await EngineUnderTest.open();
    await engine.start({ workflow: "w", instanceId: "a" });
    expect(await engine.history("a")).toEqual([]);
    await engine.close();
  });

  test("a long run is whole", async () => {
    const under = await open();
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "3000" });
    for (let index = 0; index < 3000; index += 1) void under.engine.raiseEvent("a", "go", "x");
    const { historyLength } = await under.engine.waitForCompletion("a");
    const history = await under.engine.history("a");
    expect(history).toHaveLength(historyLength);
    expect(kinds(history).filter((kind) => kind === "eventRaised")).toHaveLength(3000);
    await under.engine.close();
  });
});

describe("the times of an instance", () => {
  test("are those of its events", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    under.clock.moveTo(start + 10);
    await under.engine.raiseEvent("a", "go");
    under.clock.moveTo(start + 20);
    await worker.completeTurn(await worker.turn(), []);
    await worker.completeTurn(await worker.turn(2), [complete(0)]);
    const ended = await under.engine.get("a");
    const history = await under.engine.history("a");
    const at = (index: number): number | undefined => {
      const timestamp = history.at(index)?.timestamp;
      return timestamp === undefined ? undefined : fromTimestamp(timestamp);
    };
    expect(ended).toMatchObject({
      createdAt: at(1),
      startedAt: at(0),
      updatedAt: at(-1),
      completedAt: at(-1),
    });
    expect(ended).toMatchObject({ createdAt: start, completedAt: start + 20 });
    await under.engine.close();
  });

  test("begin anew with each execution", async () => {
    const under = await EngineUnderTest.open();
    const again: Workflow = function* (context) {
      yield context.event("go");
      return context.continueAsNew("");
    };
    under.connect({ flows: { again } });
    await under.engine.start({ workflow: "again", instanceId: "a" });
    await under.engine.idle();
    expect(await under.engine.get("a")).toMatchObject({ createdAt: start, startedAt: start });
    under.clock.moveTo(start + 50);
    await under.engine.raiseEvent("a", "go");
    await under.engine.idle();
    expect(await under.engine.get("a")).toMatchObject({
      generation: 2,
      createdAt: start + 50,
      startedAt: start + 50,
      updatedAt: start + 50,
    });
    await under.engine.close();
  });
});
