// SPDX-License-Identifier: Apache-2.0

// Microsoft's Python SDK, and Dapr's up to 1.16, give a retry the number of its first try.

import { expect, test } from "vitest";
import { child, complete, failure, schedule, timer } from "./actions.js";
import { EngineUnderTest } from "./open-engine.js";
import { kinds, type ScriptedWorker } from "./scripted-worker.js";

const unlucky = { failure: failure("E", "no luck") };
const pauseMs = 1000;

/** Takes the failure, pauses, and answers the turn after the pause with these actions. */
async function retry(
  { clock }: EngineUnderTest,
  worker: ScriptedWorker,
  turns: number,
  actions: Parameters<ScriptedWorker["completeTurn"]>[1],
): Promise<void> {
  const until = timer(turns, clock.now() + pauseMs);
  await worker.completeTurn(await worker.turn(turns), [until]);
  clock.advance(pauseMs);
  await worker.completeTurn(await worker.turn(turns + 1), actions);
}

test("an activity is tried again under its number, also after a crash", async () => {
  let under = await EngineUnderTest.open();
  let worker = under.connect({});
  await under.engine.start({ workflow: "w", instanceId: "a" });
  await worker.completeTurn(await worker.turn(), [schedule(0, "charge", "x")]);
  await worker.completeActivity(await worker.activity(), unlucky);
  await retry(under, worker, 2, [schedule(0, "charge", "x")]);
  expect((await worker.activity(2)).taskId).toBe(0);

  under = await under.crash();
  worker = under.connect({});
  const second = await worker.activity();
  expect(second).toMatchObject({ taskId: 0, input: "x" });
  await worker.completeActivity(second, { output: '"paid"' });
  await worker.completeTurn(await worker.turn(), [complete(9, '"done"')]);

  expect(kinds(await under.engine.history("a"))).toEqual([
    ...["workflowStarted", "executionStarted", "taskScheduled"],
    ...["workflowStarted", "taskFailed", "timerCreated"],
    ...["workflowStarted", "timerFired", "taskScheduled"],
    ...["workflowStarted", "taskCompleted", "executionCompleted"],
  ]);
  await under.engine.close();
});

test("a child is tried again under its number and its id", async () => {
  const under = await EngineUnderTest.open();
  const worker = under.connect({ workflows: ["w"] });
  const children = under.connect({ workflows: ["echo"] });
  await under.engine.start({ workflow: "w", instanceId: "a" });
  const start = child(0, "echo", "c", "x");
  await worker.completeTurn(await worker.turn(), [start]);
  await children.refuseTurn(await children.turn());
  await retry(under, worker, 2, [start]);
  await children.completeTurn(await children.turn(2), [complete(0, '"well"')]);
  const { events } = await worker.turn(4);
  expect(kinds(events.map(({ event }) => event))).toContain("childWorkflowInstanceCompleted");
  await under.engine.close();
});

test("a worker that keeps histories itself is not believed", async () => {
  const under = await EngineUnderTest.open();
  const worker = under.connect({ cache: "past" });
  await under.engine.start({ workflow: "w", instanceId: "a" });
  await worker.completeTurn(await worker.turn(), [schedule(0, "charge")]);
  await worker.completeActivity(await worker.activity(), unlucky);
  await retry(under, worker, 2, [schedule(0, "charge")]);
  expect(kinds(await under.engine.history("a"))).toEqual([
    ...["workflowStarted", "executionStarted", "taskScheduled"],
    ...["workflowStarted", "taskFailed", "timerCreated"],
  ]);
  await under.engine.close();
});
