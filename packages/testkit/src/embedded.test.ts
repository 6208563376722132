// SPDX-License-Identifier: Apache-2.0

import {
  activity,
  event,
  isPawlError,
  NonRetriableError,
  type WorkflowContext,
  workflow,
} from "@pawl/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestEnvironment, type TestEnvironment } from "./environment.js";

const add = activity("add", (n: number) => n + 1);
const flaky = activity("flaky", async (_input: { failures: number }): Promise<string> => "fine");
const blocking = activity("blocking", (): Promise<string> => new Promise(() => {}));
const go = event<number>("go");
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const retry = { maxAttempts: 3, firstIntervalMs: 1000, backoffCoefficient: 2 };

const chain = workflow("chain", async (ctx, n: number) => {
  const one = await ctx.activity(add, n);
  const two = await ctx.activity(add, one);
  return ctx.activity(add, two);
});
const fanOut = workflow("fanOut", async (ctx, count: number) => {
  const results = await Promise.all(range(count).map((n) => ctx.activity(add, n)));
  return results.reduce((sum, n) => sum + n, 0);
});
const long = workflow("long", async (ctx, count: number) => {
  let n = 0;
  for (const _ of range(count)) n = await ctx.activity(add, n);
  return n;
});
const parent = workflow("parent", async (ctx, n: number) => {
  const own = await ctx.child(chain, n, { instanceId: `${ctx.instanceId}-kid` });
  return own + (await ctx.child(chain, n));
});
const careful = workflow("careful", (ctx) => ctx.activity(flaky, { failures: 2 }, { retry }));
const catching = workflow("catching", async (ctx) => {
  try {
    return await ctx.child(careful);
  } catch (error) {
    return isPawlError(error) ? [error.code, error.message] : "other";
  }
});
const collecting = workflow(
  "collecting",
  async (ctx, input: { round: number; seen: number[] }): Promise<number[]> => {
    const seen = [...input.seen, await ctx.waitForEvent(go)];
    if (seen.length === 5) return seen;
    return ctx.continueAsNew({ round: input.round + 1, seen });
  },
);
const holding = workflow("holding", async (ctx: WorkflowContext) => {
  ctx.setCustomStatus({ step: "held" });
  const first = await ctx.waitForEvent(go);
  ctx.setCustomStatus({ step: "going" });
  return first + (await ctx.waitForEvent(go));
});
const stuck = workflow("stuck", async (ctx) => {
  await ctx.child(holding, undefined, { instanceId: `${ctx.instanceId}-kid` });
});
const caller = workflow("caller", async (ctx, target: string) => {
  ctx.sendEvent(target, go, 1);
  ctx.sendEvent(target, go, 2);
});
const astray = workflow("astray", async () => {
  await new Promise(() => {});
});
const blocked = workflow("blocked", (ctx) => ctx.activity(blocking));

const activities = [add, flaky, blocking] as const;
const workflows = [
  chain,
  fanOut,
  long,
  parent,
  careful,
  catching,
  collecting,
  holding,
  stuck,
  caller,
  astray,
  blocked,
];

let env: TestEnvironment<typeof activities>;

beforeAll(async () => {
  env = await createTestEnvironment({ workflows, activities });
});

afterAll(async () => {
  await env.close();
});

describe("an embedded engine and worker", () => {
  test("run a chain", async () => {
    expect(await (await env.start(chain, 1)).result()).toBe(4);
  });

  test("run a fan-out of 100", async () => {
    expect(await (await env.start(fanOut, 100)).result()).toBe(5050);
  });

  test("run 200 chains at once", async () => {
    const handles = await Promise.all(range(200).map((n) => env.start(chain, n)));
    const results = await Promise.all(handles.map((handle) => handle.result()));
    expect(results).toEqual(range(200).map((n) => n + 3));
  });

  test("run 500 steps one after the other", async () => {
    expect(await (await env.start(long, 500)).result()).toBe(500);
  });

  test("run children, with and without an id of their own", async () => {
    const handle = await env.start(parent, 1, { instanceId: "family" });
    expect(await handle.result()).toBe(8);
    const ids: string[] = [];
    for await (const each of env.client.list({ instanceIdPrefix: "family" })) {
      ids.push(each.instanceId);
    }
    expect(ids.sort()).toEqual(["family", "family-kid", "family:0001"]);
    expect((await env.client.get("family-kid"))?.parentInstanceId).toBe("family");
  });

  test("treat all that a filter means as one batch", async () => {
    for (const index of range(20)) {
      await env.start(chain, index, { instanceId: `many-${index}`, tags: { lot: "7" } });
    }
    await env.idle();
    const purge = await env.client.startBatch("purge", { filter: { tags: { lot: "7" } } });
    const batch = await purge.result();
    expect(batch).toMatchObject({ status: "completed", matchedCount: 20, doneCount: 20 });
    expect(await purge.get()).toEqual(batch);
    expect(await env.client.batches()).toContainEqual(batch);
    expect(await env.client.get("many-3")).toBeUndefined();
    expect(await env.client.batch("nobody's").get()).toBeUndefined();
  });

  test("retry an activity after durable waits", async () => {
    let attempts = 0;
    env.replace("flaky", ({ failures }) => {
      attempts += 1;
      if (attempts <= failures) throw new RangeError(`attempt ${attempts}`);
      return `attempt ${attempts}`;
    });
    const before = env.clock.now();
    const handle = await env.start(careful, undefined, { instanceId: "careful" });
    expect(await handle.result()).toBe("attempt 3");
    expect(env.clock.now() - before).toBe(3000);
    const calls = env.calls("flaky").filter(({ instanceId }) => instanceId === "careful");
    expect(calls).toHaveLength(3);
    expect(new Set(calls.map(({ taskExecutionId }) => taskExecutionId)).size).toBe(1);
  });

  test("fail with the type, message and cause of what was thrown", async () => {
    env.replace("flaky", () => {
      throw new NonRetriableError("never", { cause: new TypeError("inner") });
    });
    const handle = await env.start(careful);
    await expect(handle.result()).rejects.toMatchObject({
      code: "WORKFLOW_FAILED",
      failure: {
        type: "ActivityFailedError",
        nonRetriable: true,
        cause: { type: "NonRetriableError", message: "never", cause: { type: "TypeError" } },
      },
    });
    expect(await (await env.start(catching)).result()).toEqual([
      "CHILD_FAILED",
      'child workflow "careful" failed: activity "flaky" failed: never',
    ]);
  });

  test("keep events over continue-as-new, in order", async () => {
    const handle = await env.start(collecting, { round: 1, seen: [] });
    for (const n of range(5)) await handle.raiseEvent(go, n);
    expect(await handle.result()).toEqual(range(5));
    expect((await handle.get())?.generation).toBeGreaterThan(1);
  });

  test("take events that come all at once over continue-as-new", async () => {
    const handle = await env.start(collecting, { round: 1, seen: [] });
    await Promise.all(range(5).map((n) => handle.raiseEvent("GO", n)));
    expect(await handle.result()).toEqual(range(5));
  });

  test("hold a suspended instance, keep its events, and go on", async () => {
    const handle = await env.start(holding);
    await env.idle();
    expect(await handle.get()).toMatchObject({
      status: "running",
      customStatus: { step: "held" },
    });
    await handle.suspend("lunch");
    await handle.raiseEvent(go, 1);
    await handle.raiseEvent(go, 2);
    await env.idle();
    expect(await handle.get()).toMatchObject({
      status: "suspended",
      customStatus: { step: "held" },
    });
    await handle.resume();
    expect(await handle.result()).toBe(3);
    expect((await handle.get())?.customStatus).toEqual({ step: "going" });
  });

  test("terminate an instance and its children", async () => {
    const handle = await env.start(stuck, undefined, { instanceId: "stuck" });
    await env.idle();
    await handle.terminate({ output: { why: "enough" } });
    await expect(handle.result()).rejects.toMatchObject({
      code: "WORKFLOW_TERMINATED",
      output: { why: "enough" },
    });
    await expect(env.client.handle("stuck-kid").result()).rejects.toMatchObject({
      code: "WORKFLOW_TERMINATED",
    });
  });

  test("terminate an instance that is suspended, and one whose activity hangs", async () => {
    for (const definition of [holding, blocked]) {
      const handle = await env.start(definition.name);
      await handle.waitForStart();
      await handle.suspend();
      await handle.terminate();
      expect((await handle.waitForCompletion()).status).toBe("terminated");
    }
  });

  test("purge an ended instance, and refuse to purge another", async () => {
    const handle = await env.start(chain, 1);
    await handle.result();
    expect(await handle.purge()).toBe(1);
    expect(await handle.get()).toBeUndefined();
    const live = await env.start(holding);
    await expect(live.purge()).rejects.toMatchObject({ code: "INSTANCE_NOT_ENDED" });
    await expect(handle.purge()).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
  });

  test("send events from one instance to another", async () => {
    const target = await env.start(holding);
    await (await env.start(caller, target.instanceId)).result();
    expect(await target.result()).toBe(3);
  });

  test("fail an instance that awaits what is not durable", async () => {
    await expect((await env.start(astray)).result()).rejects.toMatchObject({
      failure: { type: "Divergence", message: expect.stringContaining("not its context's") },
    });
  });

  test("refuse a second instance of one id", async () => {
    const handle = await env.start(holding);
    const again = env.start(holding, undefined, { instanceId: handle.instanceId });
    await expect(again).rejects.toMatchObject({ name: "PawlError", code: "INSTANCE_EXISTS" });
  });

  test("let a client watch an instance to its end", async () => {
    const handle = await env.start(holding);
    const seen = new Set<string>();
    for await (const { instance } of handle.watch()) {
      const { status } = instance;
      if (status === "running" && !seen.has(status)) {
        await handle.raiseEvent(go, 1);
        await handle.raiseEvent(go, 1);
      }
      seen.add(status);
    }
    expect([...seen].at(-1)).toBe("completed");
  });

  test("carry every falsy value through input, activity and output", async () => {
    const values = [null, 0, "", false];
    for (const value of values) {
      const handle = await env.start("chain", value);
      await handle.result();
      expect((await handle.get())?.input).toEqual(value);
    }
  });
});
