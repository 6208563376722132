// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { child, complete, detached, failure, schedule, timer } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import { eventsOf, kinds, type ScriptedWorker } from "./scripted-worker.js";

const year = 365 * 24 * 3_600_000;

/** An engine, its worker, and the one activity that the worker has. */
async function openActivity() {
  const under = await EngineUnderTest.open();
  const worker = under.connect({});
  await under.engine.start({ workflow: "w", instanceId: "a" });
  await worker.completeTurn(await worker.turn(), [schedule(0, "double", "x")]);
  return { under, worker, activity: await worker.activity() };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await nextTick();
}

describe("an activity is started once while its worker lives", () => {
  test("however long it takes, whatever else happens", async () => {
    const { under, worker, activity } = await openActivity();
    const other = under.connect({ workflows: [] });
    under.clock.advance(2 * year);
    await settle();
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(2), []);
    await under.engine.suspend("a");
    await worker.completeTurn(await worker.turn(3), []);
    await settle();
    expect([...worker.activities, ...other.activities]).toEqual([activity]);
    await worker.completeActivity(activity, { output: '"at last"' });
    expect(kinds((await worker.turn(4)).events.map(({ event }) => event))).toContain(
      "taskCompleted",
    );
    await under.engine.close();
  });

  test("though a crowd of other instances comes and goes", async () => {
    const { under, worker, activity } = await openActivity();
    const parties = under.connect({ workflows: ["echo"], activities: [], flows });
    for (let index = 0; index < 50; index += 1) {
      await under.engine.start({ workflow: "echo", instanceId: `other-${index}` });
    }
    await settle();
    expect(parties.activities).toEqual([]);
    await under.engine.raiseEvent("a", "go");
    await settle();
    expect(worker.activities).toEqual([activity]);
    await under.engine.close();
  });

  test("and not again when the worker goes while its result is on the way to the disk", async () => {
    const { under, worker, activity } = await openActivity();
    const gate = under.faults.hold("write");
    const done = worker.completeActivity(activity, { output: '"once"' });
    while (gate.waiting() === 0) await nextTick();
    worker.close();
    const other = under.connect({});
    await settle();
    gate.release();
    await done;
    await other.completeTurn(await other.turn(), [complete(1)]);
    await settle();
    expect(other.activities).toEqual([]);
    await under.engine.close();
  });

  test("nor when its result is on disk and the turn that takes it is not", async () => {
    const { under, worker, activity } = await openActivity();
    await worker.completeActivity(activity, { output: '"once"' });
    const after = await under.crash();
    const other = after.connect({});
    await other.completeTurn(await other.turn(), [complete(1)]);
    await after.engine.idle();
    expect(other.activities).toEqual([]);
    await after.engine.close();
  });
});

describe("over a failed write and the store's reopening an activity", () => {
  const unavailable = { code: "STORE_UNAVAILABLE" };

  /** Lets a write fail, does what is to be done meanwhile, and waits for the engine. */
  async function failWrite(under: EngineUnderTest, meanwhile: () => Promise<void>): Promise<void> {
    under.faults.failNext(1, "error", ["write"]);
    await expect(under.engine.start({ workflow: "other" })).rejects.toMatchObject(unavailable);
    await meanwhile();
    while (!under.engine.isReady()) {
      await nextTick();
      under.clock.advance(10);
    }
    await settle();
  }

  test("stays with its worker, which gives its result with the same token", async () => {
    const { under, worker, activity } = await openActivity();
    const other = under.connect({ workflows: [] });
    await failWrite(under, settle);
    expect([...worker.activities, ...other.activities]).toEqual([activity]);
    await worker.completeActivity(activity, { output: '"once"' });
    expect((await worker.turn(2)).events.at(-1)?.event.eventType.value).toMatchObject({
      result: '"once"',
    });
    await under.engine.close();
  });

  test("stays with its worker, and goes to another when that one leaves later", async () => {
    const { under, worker, activity } = await openActivity();
    const other = under.connect({ workflows: [] });
    await failWrite(under, settle);
    worker.close();
    expect((await other.activity()).token).not.toBe(activity.token);
    await under.engine.close();
  });

  test("goes to another when its worker leaves meanwhile", async () => {
    const { under, worker, activity } = await openActivity();
    const other = under.connect({ workflows: [] });
    await failWrite(under, async () => worker.close());
    expect((await other.activity()).token).not.toBe(activity.token);
    await under.engine.close();
  });

  test.each([
    ["its token", (token: string) => token],
    ["no token", () => ""],
  ])("runs again when its result came meanwhile, with %s", async (_, tokenOf) => {
    const { under, worker, activity } = await openActivity();
    await failWrite(under, async () => {
      const early = worker.completeActivity({ ...activity, token: tokenOf(activity.token) });
      await expect(early).rejects.toMatchObject(unavailable);
    });
    expect((await worker.activity(2)).token).not.toBe(activity.token);
    await under.engine.close();
  });

  test("stays with its worker when results of others came meanwhile", async () => {
    const { under, worker, activity } = await openActivity();
    await failWrite(under, async () => {
      for (const others of [
        { ...activity, token: "another" },
        { ...activity, taskId: 7 },
        { ...activity, instanceId: "b" },
        { ...activity, taskId: 7, token: "" },
        { ...activity, instanceId: "b", token: "" },
      ]) {
        await expect(worker.completeActivity(others)).rejects.toMatchObject(unavailable);
      }
    });
    expect(worker.activities).toEqual([activity]);
    await under.engine.close();
  });

  test("is nobody's when its instance was ended before the write failed", async () => {
    const { under, worker, activity } = await openActivity();
    await under.engine.terminate("a");
    await worker.completeTurn(await worker.turn(2), []);
    await failWrite(under, settle);
    await worker.completeActivity(activity, { output: '"late"' });
    await settle();
    expect(worker.activities).toHaveLength(1);
    expect((await under.engine.get("a"))?.status).toBe("terminated");
    await under.engine.close();
  });
});

describe("an activity's result", () => {
  /** The one result in the turn that it triggers. */
  async function resultIn(worker: ScriptedWorker): Promise<unknown> {
    return (await worker.turn(2)).events.at(-1)?.event.eventType;
  }

  test("has the key of its call", async () => {
    const { under, worker, activity } = await openActivity();
    await worker.completeActivity(activity, { output: '"x"' });
    expect(await resultIn(worker)).toMatchObject({
      case: "taskCompleted",
      value: { taskScheduledId: 0, taskExecutionId: "call-0", result: '"x"' },
    });
    await under.engine.close();
  });

  test("is a failure with the details as they came, however deep", async () => {
    const { under, worker, activity } = await openActivity();
    const details = failure("Outer", "it broke");
    details.stackTrace = "at line 1";
    details.isNonRetriable = true;
    details.innerFailure = failure("Inner", "the cause");
    details.innerFailure.innerFailure = failure("Root", "the first");
    await worker.completeActivity(activity, { failure: details });
    expect(await resultIn(worker)).toMatchObject({
      case: "taskFailed",
      value: { taskScheduledId: 0, taskExecutionId: "call-0", failureDetails: details },
    });
    await under.engine.close();
  });

  test("is not tried again by the engine when it is a failure", async () => {
    const { under, worker, activity } = await openActivity();
    await worker.completeActivity(activity, { failure: failure("E", "m") });
    await worker.completeTurn(await worker.turn(2), [timer(1, 1_009_000)]);
    under.clock.advance(1000);
    await settle();
    expect(worker.activities).toHaveLength(1);
    await under.engine.close();
  });

  test("goes to the instance that asked, though another's id looks like an activity's key", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, tasks });
    await under.engine.start({ workflow: "chain", instanceId: "a", input: "x" });
    await under.engine.start({ workflow: "chain", instanceId: "a::0", input: "y" });
    expect((await under.engine.waitForCompletion("a")).output).toBe("x".repeat(8));
    expect((await under.engine.waitForCompletion("a::0")).output).toBe("y".repeat(8));
    await under.engine.close();
  });
});

describe("a detached workflow is nobody's child", () => {
  async function openPair(isEnded: boolean): Promise<EngineUnderTest> {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ workflows: ["w"] });
    under.connect({ workflows: ["gather"], flows });
    await under.engine.start({ workflow: "w", instanceId: "p" });
    const asked = [child(0, "gather", "c", "1"), detached(1, "gather", "free", { input: "1" })];
    await worker.completeTurn(await worker.turn(), isEnded ? [...asked, complete(2)] : asked);
    await under.engine.waitForStart("c");
    await under.engine.waitForStart("free");
    worker.close();
    await under.engine.idle();
    return under;
  }

  test.each([true, false])(
    "a recursive terminate spares it (caller ended: %s)",
    async (isEnded) => {
      const under = await openPair(isEnded);
      await under.engine.terminate("p");
      expect((await under.engine.waitForCompletion("c")).status).toBe("terminated");
      await under.engine.idle();
      expect((await under.engine.get("free"))?.status).toBe("running");
      await under.engine.close();
    },
  );

  test("a recursive purge spares it, by force too", async () => {
    const under = await openPair(false);
    expect(await under.engine.purge("p", { force: true })).toBe(2);
    expect((await under.engine.get("free"))?.status).toBe("running");
    await under.engine.close();
  });

  /** Opens an engine with an ended parent that was refused its child: "c" was somebody else's before. */
  async function openRefused(): Promise<EngineUnderTest> {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ workflows: ["w"] });
    await under.engine.start({ workflow: "other", instanceId: "c" });
    await under.engine.start({ workflow: "w", instanceId: "p" });
    await worker.completeTurn(await worker.turn(), [child(0, "w", "c")]);
    const refused = await worker.turn(2);
    expect(kinds(eventsOf(refused))).toContain("childWorkflowInstanceFailed");
    await worker.completeTurn(refused, [complete(1)]);
    return under;
  }

  test.each(["pending", "terminated"])(
    "a recursive purge and terminate spare who had a child's id before, and is %s",
    async (status) => {
      const under = await openRefused();
      await under.engine.terminate("p");
      if (status === "terminated") await under.engine.terminate("c");
      await under.engine.idle();
      expect(await under.engine.purge("p")).toBe(1);
      expect((await under.engine.get("c"))?.status).toBe(status);
      await under.engine.close();
    },
  );

  test("its id can be used again while who had a child's id before goes on", async () => {
    const under = await openRefused();
    const before = (await under.engine.get("p"))?.executionId;
    await under.engine.start({ workflow: "w", instanceId: "p" });
    expect((await under.engine.get("p"))?.executionId).not.toBe(before);
    expect((await under.engine.get("c"))?.status).toBe("pending");
    await under.engine.close();
  });

  test("its end does not touch its caller's history", async () => {
    const under = await openPair(true);
    const before = await under.engine.history("p");
    await under.engine.raiseEvent("free", "go", "x");
    await under.engine.waitForCompletion("free");
    await under.engine.idle();
    expect(await under.engine.history("p")).toEqual(before);
    await under.engine.close();
  });

  test("is started once, also when its caller's turn is replayed", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ workflows: ["w"] });
    under.connect({ workflows: ["echo"], flows });
    await under.engine.start({ workflow: "w", instanceId: "p" });
    await worker.completeTurn(await worker.turn(), [detached(0, "echo", "free")]);
    await under.engine.waitForCompletion("free");
    await under.engine.raiseEvent("p", "go");
    await worker.completeTurn(await worker.turn(2), [detached(0, "echo", "free")]);
    await under.engine.idle();
    expect((await under.engine.get("free"))?.generation).toBe(1);
    await under.engine.close();
  });
});
