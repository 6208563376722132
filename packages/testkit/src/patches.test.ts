// SPDX-License-Identifier: Apache-2.0

import {
  type AnyWorkflow,
  activity,
  createClient,
  createWorker,
  event,
  type Logger,
  workflow,
} from "@pawl/client";
import { type Engine, openEngine } from "@pawl/engine";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const silent: Logger = { info() {}, warn() {}, error() {} };
const go = event("go");
const note = activity("note", (text: string) => text);

/** The workflow before a change, with it, and by somebody who forgot it. */
const before = workflow("order", async (ctx) => {
  await ctx.waitForEvent(go);
  const first = await ctx.activity(note, "first");
  await ctx.waitForEvent(go);
  return [first];
});
const changed = workflow("order", async (ctx) => {
  await ctx.waitForEvent(go);
  const first = await ctx.activity(note, ctx.isPatched("louder") ? "FIRST" : "first");
  await ctx.waitForEvent(go);
  return [first];
});

let engine: Engine;

beforeEach(async () => {
  engine = await openEngine({ store: "memory" });
});

afterEach(() => engine.close());

/** Has a worker with this code do what there is to do. */
async function runWith(code: AnyWorkflow): Promise<void> {
  const client = createClient({ engine });
  const worker = createWorker({ client, workflows: [code], activities: [note], logger: silent });
  await worker.start();
  await engine.idle();
  await worker.stop();
}

describe("a change of the code that is a patch", () => {
  test("leaves instances as they are that passed its place before", async () => {
    await engine.start({ workflow: "order", instanceId: "a" });
    await engine.raiseEvent("a", "go");
    await runWith(before);
    await engine.raiseEvent("a", "go");
    await runWith(changed);
    expect((await engine.get("a"))?.output).toBe('["first"]');
  });

  test("is taken by instances that come to its place later, and by new ones", async () => {
    await engine.start({ workflow: "order", instanceId: "a" });
    await runWith(before);
    await engine.raiseEvent("a", "go");
    await runWith(changed);
    await engine.raiseEvent("a", "go");
    await runWith(changed);
    expect((await engine.get("a"))?.output).toBe('["FIRST"]');
  });

  test("is asked of every worker that goes on with such an instance", async () => {
    await engine.start({ workflow: "order", instanceId: "a" });
    await engine.raiseEvent("a", "go");
    await runWith(changed);
    await engine.raiseEvent("a", "go");
    const forgetful = workflow("order", async (ctx) => {
      await ctx.waitForEvent(go);
      const first = await ctx.activity(note, "FIRST");
      await ctx.waitForEvent(go);
      return [first];
    });
    await runWith(forgetful);
    expect(await engine.get("a")).toMatchObject({
      status: "stalled",
      stallReason: expect.stringContaining("History patches: [louder], current patches: []"),
    });
    await runWith(changed);
    expect((await engine.get("a"))?.output).toBe('["FIRST"]');
  });
});
