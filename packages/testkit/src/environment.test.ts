// SPDX-License-Identifier: Apache-2.0

import { activity, type EnginePort, event, workflow } from "@pawl/client";
import type { Engine } from "@pawl/engine";
import { afterEach, describe, expect, expectTypeOf, test } from "vitest";
import { createTestEnvironment, type TestEnvironment } from "./environment.js";

const day = 86_400_000;
const charge = activity("charge", async (_order: { amount: number }): Promise<string> => {
  throw new Error("no network in tests");
});
const double = activity("double", (n: number) => n * 2);
const paid = event<number>("paid");

const sleeping = workflow("sleeping", async (ctx) => {
  const before = ctx.now();
  await ctx.sleep(30 * day);
  return ctx.now() - before;
});
const waiting = workflow("waiting", async (ctx) => {
  ctx.setCustomStatus("waiting");
  return ctx.waitForEvent(paid, { timeoutMs: day }).catch(() => "late");
});
const forever = workflow("forever", (ctx) => ctx.waitForEvent(paid));
const charging = workflow("charging", (ctx, amount: number) => ctx.activity(charge, { amount }));
const doubling = workflow("doubling", (ctx, n: number) => ctx.activity(double, n));

const open: { close(): Promise<void> }[] = [];

/** An environment that is closed after the test. */
async function environment(
  replace: Parameters<
    typeof createTestEnvironment<[typeof charge, typeof double]>
  >[0]["replace"] = {},
): Promise<TestEnvironment<[typeof charge, typeof double]>> {
  const env = await createTestEnvironment<[typeof charge, typeof double]>({
    workflows: [sleeping, waiting, forever, charging, doubling],
    activities: [charge, double],
    replace,
  });
  open.push(env);
  return env;
}

afterEach(async () => {
  for (const env of open.splice(0)) await env.close();
});

describe("virtual time", () => {
  test("jumps to the next timer while a result is awaited", async () => {
    const env = await environment();
    const startedAt = env.clock.now();
    const handle = await env.start(sleeping);
    expect(await handle.result()).toBe(30 * day);
    expect(env.clock.now()).toBe(startedAt + 30 * day);
  });

  test("stands still while nobody waits", async () => {
    const env = await environment();
    const startedAt = env.clock.now();
    const handle = await env.start(sleeping);
    await env.idle();
    expect(env.clock.now()).toBe(startedAt);
    expect((await handle.get())?.status).toBe("running");
  });

  test("goes as far as it is told, through every timer on the way", async () => {
    const env = await environment();
    const handle = await env.start(sleeping);
    await env.clock.advance(29 * day);
    expect((await handle.get())?.status).toBe("running");
    await env.clock.advance(day);
    expect((await handle.get())?.status).toBe("completed");
  });

  test("lets a wait time out only when no event came", async () => {
    const env = await environment();
    const late = await env.start(waiting);
    expect(await late.result()).toBe("late");
    const paidInTime = await env.start(waiting);
    await paidInTime.raiseEvent(paid, 5);
    expect(await paidInTime.result()).toBe(5);
  });

  test("does not jump over a wait without a timeout", async () => {
    const env = await environment();
    const handle = await env.start(forever);
    const result = handle.result();
    await env.idle();
    await handle.raiseEvent(paid, 7);
    expect(await result).toBe(7);
    expect(env.clock.now()).toBe(Date.UTC(2030, 0, 1));
  });

  test("belongs to its environment", async () => {
    const [one, other] = [await environment(), await environment()];
    await one.clock.advance(day);
    expect(one.clock.now() - other.clock.now()).toBe(day);
  });

  test("reaches a delayed start", async () => {
    const env = await environment();
    const startAt = env.clock.now() + day;
    const handle = await env.start(doubling, 4, { startAt });
    expect(await handle.result()).toBe(8);
    expect(env.clock.now()).toBe(startAt);
  });
});

describe("activities", () => {
  test("are replaced by name, with the types of the definition", async () => {
    const env = await environment({ charge: ({ amount }) => `receipt for ${amount}` });
    const handle = await env.start(charging, 12);
    expect(await handle.result()).toBe("receipt for 12");
  });

  test("are replaced in the middle of a test, and brought back", async () => {
    const env = await environment();
    env.replace("double", (n) => n * 20);
    expect(await (await env.start(doubling, 1)).result()).toBe(20);
    env.replace("double", undefined);
    expect(await (await env.start(doubling, 1)).result()).toBe(2);
  });

  test("leave a record of every call", async () => {
    const env = await environment();
    const handle = await env.start(doubling, 4, { instanceId: "d" });
    await handle.result();
    const failing = await env.start(charging, 1);
    await failing.result().catch(() => {});
    expect(env.calls("double")).toMatchObject([{ instanceId: "d", input: 4, output: 8 }]);
    expect(env.calls("charge")).toMatchObject([{ input: { amount: 1 }, error: expect.any(Error) }]);
    expectTypeOf(env.calls("double")[0]?.output).toEqualTypeOf<number | undefined>();
  });
});

describe("an environment", () => {
  test("shows the history of an instance", async () => {
    const env = await environment();
    const handle = await env.start(doubling, 4);
    await handle.result();
    const kinds = (await env.history(handle.instanceId)).map((each) => each.eventType.case);
    expect(kinds).toEqual([
      "workflowStarted",
      "executionStarted",
      "taskScheduled",
      "workflowStarted",
      "taskCompleted",
      "executionCompleted",
    ]);
  });

  test("closes with work under way, and twice", async () => {
    const env = await environment({ charge: () => new Promise(() => {}) });
    await env.start(charging, 1);
    await env.close();
    await env.close();
  });

  test("has an engine whose ports are those that the client knows", () => {
    expectTypeOf<Engine>().toExtend<EnginePort>();
  });
});

describe("a rerun", () => {
  const charged = activity("charged", (call: { id: string; amount: number }) => call);
  const drawing = workflow("drawing", async (ctx, amount: number) => {
    const id = ctx.uuid();
    const first = await ctx.activity(charged, { id, amount });
    return { first, second: await ctx.activity(charged, { id, amount: first.amount + 1 }) };
  });

  test("goes on with another input, and draws the same random values in its replay", async () => {
    const env = await createTestEnvironment({ workflows: [drawing], activities: [charged] });
    open.push(env);
    const handle = await env.start(drawing, 1);
    const { first, second } = await handle.result();
    const ids = (await handle.history()).filter(
      ({ eventType }) => eventType.case === "taskScheduled",
    );
    const again = await handle.rerun({ eventId: ids[1]?.eventId ?? -1 });
    expect(await again.result()).toEqual({ first, second });
    const other = await handle.rerun({
      eventId: ids[0]?.eventId ?? -1,
      input: { id: first.id, amount: 41 },
      newInstanceId: "other",
    });
    expect(other.instanceId).toBe("other");
    expect(await other.result()).toEqual({
      first: { id: first.id, amount: 41 },
      second: { id: first.id, amount: 42 },
    });
    await expect(handle.rerun({ eventId: 77 })).rejects.toMatchObject({ code: "EVENT_NOT_FOUND" });
  });
});
