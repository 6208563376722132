// SPDX-License-Identifier: Apache-2.0

import { activity, event, workflow } from "@pawl/client";
import { expect, test } from "vitest";
import { createTestEnvironment } from "./environment.js";
import { HistoryBuilder } from "./history-builder.js";

test("builds what the engine writes for the same run", async () => {
  const add = activity("add", (n: number) => n + 1);
  const paid = event<string>("paid");
  const mixed = workflow("mixed", async (ctx, n: number) => {
    const sum = await ctx.activity(add, n);
    await ctx.sleep(1000, "pause");
    return [sum, await ctx.waitForEvent(paid, { timeoutMs: 5000 })];
  });
  const env = await createTestEnvironment({ workflows: [mixed], activities: [add] });
  const handle = await env.start(mixed, 1);
  await env.clock.advance(1000);
  await handle.raiseEvent(paid, "yes");
  await handle.result();
  const history = new HistoryBuilder("mixed", 1, env.clock.now() - 1000);
  const task = history.activityScheduled("add", 1);
  history.turn(0);
  history.activityCompleted(task, 2);
  const timer = history.timerCreated(1000, "pause");
  history.turn(1000);
  history.timerFired(timer);
  history.eventAwaited("paid", 5000);
  history.turn(0);
  history.eventRaised("paid", "yes");
  const written = (await env.history(handle.instanceId)).slice(0, -1);
  await env.close();
  expect(history.build().map(({ eventId, eventType }) => [eventId, eventType.case])).toEqual(
    written.map(({ eventId, eventType }) => [eventId, eventType.case]),
  );
  const timerOf = (events: typeof written): unknown =>
    events.find(({ eventType }) => eventType.case === "timerCreated")?.eventType.value;
  expect(timerOf(history.build())).toEqual(timerOf(written));
});

test("numbers tasks, and keeps children and failures", () => {
  const history = new HistoryBuilder("parent");
  const child = history.childCreated("kid", "p:0000", { a: 1 });
  const task = history.activityScheduled("act");
  history.turn();
  history.childCompleted(child, null);
  history.activityFailed(task, "Declined", "no funds");
  expect([child, task]).toEqual([0, 1]);
  expect(history.build().slice(-2)).toMatchObject([
    { eventType: { value: { taskScheduledId: 0, result: "null" } } },
    { eventType: { value: { taskScheduledId: 1, failureDetails: { errorType: "Declined" } } } },
  ]);
});
