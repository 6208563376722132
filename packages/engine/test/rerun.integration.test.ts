// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { problemsOf } from "../src/testing/check-store.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import type { Workflow } from "./replay.js";
import { kinds, type ScriptedWorker } from "./scripted-worker.js";

/** Five activities, one after the other. */
const five: Workflow = function* (context) {
  let text = context.input;
  for (let step = 0; step < 5; step += 1) [text = ""] = yield context.activity("double", text);
  return text;
};

/** Waits for an approval for at most a day, then mails. */
const approval: Workflow = function* (context) {
  const waits = [context.event("Approved"), context.timer(context.now + 86_400_000)];
  yield waits.slice(0, 1);
  const mailed = yield context.activity("double", "m");
  return mailed.join();
};

/** One activity, then two side by side. */
const sides: Workflow = function* (context) {
  yield context.activity("double", "a");
  const both = yield [context.activity("double", "b"), context.activity("double", "c")];
  return both.join("+");
};

/** Two children, one after the other. */
const parents: Workflow = function* (context) {
  const [first] = yield context.child("echo", "first", "1");
  const [second] = yield context.child("echo", "", "2");
  return `${first}${second}`;
};

const all = { ...flows, five, approval, sides, parents };

async function opened(): Promise<{ under: EngineUnderTest; worker: ScriptedWorker }> {
  const under = await EngineUnderTest.open();
  const worker = under.connect({ flows: all, tasks });
  return { under, worker };
}

/** Ends an instance of a workflow, and forgets the work that it took. */
async function ended(
  { under, worker }: { under: EngineUnderTest; worker: ScriptedWorker },
  workflow: string,
  input = "x",
): Promise<void> {
  await under.engine.start({ workflow, instanceId: "a", input });
  await under.engine.waitForCompletion("a");
  await under.engine.idle();
  worker.items.length = 0;
}

describe("a rerun of a chain of five activities", () => {
  test.each([0, 1, 2, 3, 4])("from activity %i runs that one and what follows", async (eventId) => {
    const setting = await opened();
    const { under, worker } = setting;
    await ended(setting, "five");
    const source = await under.engine.history("a");
    under.clock.advance(60_000);
    const { instanceId } = await under.engine.rerun("a", { eventId, newInstanceId: "b" });
    expect(instanceId).toBe("b");
    const instance = await under.engine.waitForCompletion("b");
    expect(instance.startedAt).toBeGreaterThanOrEqual(instance.createdAt);
    expect(instance).toMatchObject({ status: "completed", output: "x".repeat(32) });
    expect(worker.activities.map(({ taskId }) => taskId)).toEqual([0, 1, 2, 3, 4].slice(eventId));
    expect(kinds(await under.engine.history("b"))).toEqual(kinds(source));
    expect(await under.engine.history("a")).toEqual(source);
    await under.engine.close();
  });

  test("with another input goes on with what comes of it", async () => {
    const setting = await opened();
    await ended(setting, "five");
    const { engine } = setting.under;
    await engine.rerun("a", { eventId: 4, newInstanceId: "b", replaceInput: { input: "new" } });
    expect((await engine.waitForCompletion("b")).output).toBe("newnew");
    await engine.close();
  });

  test("may be done many times, each under an id of its own", async () => {
    const setting = await opened();
    await ended(setting, "five");
    const { engine } = setting.under;
    const started = await Promise.all(
      Array.from({ length: 10 }, () => engine.rerun("a", { eventId: 3 })),
    );
    const ids = new Set(started.map(({ instanceId }) => instanceId));
    expect(ids.size).toBe(10);
    for (const id of ids) expect((await engine.waitForCompletion(id)).status).toBe("completed");
    await engine.close();
  });

  test("is itself an instance that can be run again", async () => {
    const setting = await opened();
    await ended(setting, "five");
    const { engine } = setting.under;
    await engine.rerun("a", { eventId: 3, newInstanceId: "b" });
    await engine.waitForCompletion("b");
    await engine.rerun("b", { eventId: 1, newInstanceId: "c" });
    expect((await engine.waitForCompletion("c")).output).toBe("x".repeat(32));
    await engine.close();
  });

  test("is durable once it is answered", async () => {
    const setting = await opened();
    await ended(setting, "five");
    setting.worker.isHolding = true;
    await setting.under.engine.rerun("a", { eventId: 2, newInstanceId: "b" });
    const after = await setting.under.crash();
    expect(await after.engine.get("b")).toMatchObject({ status: "running", generation: 1 });
    expect(await problemsOf(after.faults.behind, after.clock.now())).toEqual([]);
    after.connect({ flows: all, tasks });
    expect((await after.engine.waitForCompletion("b")).output).toBe("x".repeat(32));
    await after.engine.close();
  });
});

describe("a rerun", () => {
  test("of what ran side by side runs the other one again, too, at once", async () => {
    const setting = await opened();
    const { under, worker } = setting;
    await ended(setting, "sides");
    await under.engine.rerun("a", { eventId: 1, newInstanceId: "b" });
    expect((await under.engine.waitForCompletion("b")).output).toBe("bb+cc");
    expect(worker.activities.map(({ taskId }) => taskId).sort()).toEqual([1, 2]);
    await under.engine.close();
  });

  test("from a wait waits again, with the timer beside it", async () => {
    const setting = await opened();
    const { under } = setting;
    await under.engine.start({ workflow: "approval", instanceId: "a" });
    await under.engine.raiseEvent("a", "Approved");
    await under.engine.waitForCompletion("a");
    const timerId = (await under.engine.history("a")).find(
      (event) => event.eventType.case === "timerCreated",
    )?.eventId;
    await under.engine.rerun("a", { eventId: timerId ?? -1, newInstanceId: "b" });
    await under.engine.idle();
    expect((await under.engine.get("b"))?.status).toBe("running");
    await under.engine.raiseEvent("b", "Approved");
    expect((await under.engine.waitForCompletion("b")).output).toBe("mm");
    await under.engine.close();
  });

  test("from a timer whose instant is past goes on at once", async () => {
    const setting = await opened();
    const { under } = setting;
    const at = under.clock.now() + 5000;
    await under.engine.start({ workflow: "sleep", instanceId: "a", input: String(at) });
    await under.runUntil(at);
    await under.engine.rerun("a", { eventId: 0, newInstanceId: "b" });
    await under.runUntil(at + 1);
    expect((await under.engine.get("b"))?.status).toBe("completed");
    await under.engine.close();
  });

  test("from a child starts it anew under the new instance, and leaves the old ones alone", async () => {
    const setting = await opened();
    const { under } = setting;
    await ended(setting, "parents");
    await under.engine.rerun("a", { eventId: 1, newInstanceId: "b", replaceInput: { input: "9" } });
    expect((await under.engine.waitForCompletion("b")).output).toBe("19");
    expect(await under.engine.get("b:0001")).toMatchObject({ parentInstanceId: "b", output: "9" });
    expect(await under.engine.get("a:0001")).toMatchObject({ parentInstanceId: "a", output: "2" });
    expect(await under.engine.purge("b")).toBe(2);
    expect(await under.engine.get("first")).toMatchObject({ parentInstanceId: "a" });
    await under.engine.close();
  });

  test("of a terminated instance goes to its end", async () => {
    const setting = await opened();
    const { under, worker } = setting;
    worker.isHolding = true;
    await under.engine.start({ workflow: "chain", instanceId: "a", input: "x" });
    worker.answer(await worker.turn());
    await worker.activity();
    await under.engine.terminate("a");
    worker.letGo();
    expect((await under.engine.waitForCompletion("a")).status).toBe("terminated");
    await under.engine.rerun("a", { eventId: 0, newInstanceId: "b" });
    expect((await under.engine.waitForCompletion("b")).output).toBe("x".repeat(8));
    await under.engine.close();
  });

  test("is refused, and leaves nothing behind", async () => {
    const setting = await opened();
    const { under } = setting;
    await ended(setting, "parents");
    const { engine } = under;
    await engine.start({ workflow: "gather", instanceId: "open", input: "1" });
    const refusals: [string, Parameters<typeof engine.rerun>[1], string][] = [
      ["none", { eventId: 0 }, "INSTANCE_NOT_FOUND"],
      ["open", { eventId: 0 }, "INSTANCE_NOT_ENDED"],
      ["first", { eventId: 0 }, "INVALID_ARGUMENT"],
      ["a", { eventId: 99 }, "EVENT_NOT_FOUND"],
      ["a", { eventId: -1 }, "INVALID_ARGUMENT"],
      ["a", { eventId: 0.5 }, "INVALID_ARGUMENT"],
      ["a", { eventId: 0, newInstanceId: "a" }, "INVALID_ARGUMENT"],
      ["a", { eventId: 0, newInstanceId: "first" }, "INSTANCE_EXISTS"],
      ["a", { eventId: 0, newInstanceId: "x\ny" }, "INVALID_ARGUMENT"],
      ["a\nb", { eventId: 0 }, "INVALID_ARGUMENT"],
      ["a", { eventId: 0, newChildInstanceId: "x\ny" }, "INVALID_ARGUMENT"],
      ["a", { eventId: 0, replaceInput: { input: "x".repeat(4_000_000) } }, "PAYLOAD_TOO_LARGE"],
    ];
    const before = (await engine.list()).instances.length;
    for (const [instanceId, command, code] of refusals) {
      await expect(engine.rerun(instanceId, command)).rejects.toMatchObject({ code });
    }
    expect((await engine.list()).instances).toHaveLength(before);
    await engine.close();
  });
});
