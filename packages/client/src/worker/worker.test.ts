// SPDX-License-Identifier: Apache-2.0

import { hostname } from "node:os";
import { limits } from "@pawl/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeWorkServer } from "../../test/fake-server.js";
import { history as h } from "../../test/history.js";
import { describeAction, silent } from "../../test/replay-of.js";
import { createDeferred } from "../async/deferred.js";
import type { AnyWorkflow } from "../authoring.js";
import { activity, workflow } from "../definition.js";
import type { WorkerOptions } from "../options.js";
import { createWorker, type Worker } from "./worker.js";

const chain = workflow("chain", async (ctx, n: number) => {
  const next = await ctx.activity(increment, n);
  return ctx.activity(increment, next);
});
const increment = activity("increment", (n: number) => n + 1);

let server: FakeWorkServer;
let worker: Worker;

/** Starts a worker and gives the server's side of its stream. */
async function connect(options: WorkerOptions = {}) {
  worker = createWorker({
    transport: server.transport,
    workflows: [chain],
    activities: [increment],
    logger: silent,
    ...options,
  });
  const started = worker.start();
  const stream = await server.streams.take();
  const announcement = await stream.welcome();
  await started;
  return { stream, announcement };
}

const firstTurn = {
  instanceId: "i",
  executionId: "e",
  workflow: "chain",
  token: "t1",
  newEvents: [h.turn(1), h.start("chain", 1)],
};

beforeEach(() => {
  server = new FakeWorkServer();
});

afterEach(async () => {
  await worker.stop();
});

describe("a worker on a stream", () => {
  test("announces what it holds", async () => {
    const { announcement } = await connect({ name: "w", activityLimit: 7 });
    expect(announcement.announcement).toMatchObject({
      name: "w",
      workflows: ["chain"],
      activities: ["increment"],
      activityLimit: 7,
      cachesInstances: true,
    });
  });

  test("is named by its host and process, unless it has a name of its own", async () => {
    const { announcement } = await connect();
    expect(announcement.announcement?.name).toBe(`${hostname()}:${process.pid}`);
  });

  test("answers turns and goes on from what it holds", async () => {
    const { stream } = await connect();
    stream.send({ turns: [firstTurn] });
    const first = await stream.requests.take();
    expect(first.turns).toHaveLength(1);
    expect(first.turns[0]).toMatchObject({ instanceId: "i", token: "t1", cacheMiss: false });
    expect(first.turns[0]?.actions.map(describeAction)).toEqual(["0 activity increment 1"]);
    const cached = { ...firstTurn, token: "t2", cached: true };
    stream.send({ turns: [{ ...cached, newEvents: [h.turn(2), h.activityDone(0, 2)] }] });
    const second = await stream.requests.take();
    expect(second.turns[0]?.actions.map(describeAction)).toEqual(["1 activity increment 2"]);
  });

  test("says which patches an instance runs with", async () => {
    const patched = workflow("patched", async (ctx) => ctx.isPatched("p"));
    const { stream } = await connect({ workflows: [patched] });
    const newEvents = [h.turn(1), h.start("patched")];
    stream.send({ turns: [{ ...firstTurn, workflow: "patched", newEvents }] });
    expect((await stream.requests.take()).turns[0]?.patches).toEqual(["p"]);
  });

  test("answers a cache miss when it does not hold the instance", async () => {
    const { stream } = await connect();
    stream.send({ turns: [{ ...firstTurn, cached: true }] });
    expect((await stream.requests.take()).turns[0]).toMatchObject({ token: "t1", cacheMiss: true });
  });

  test("does not take another execution for the one that it holds", async () => {
    const { stream } = await connect();
    stream.send({ turns: [firstTurn] });
    await stream.requests.take();
    stream.send({ turns: [{ ...firstTurn, executionId: "e2", token: "t2", cached: true }] });
    expect((await stream.requests.take()).turns[0]).toMatchObject({ token: "t2", cacheMiss: true });
  });

  test("lets go of a released instance", async () => {
    const { stream } = await connect();
    stream.send({ turns: [firstTurn] });
    await stream.requests.take();
    stream.send({ releasedInstanceIds: ["i"] });
    stream.send({ turns: [{ ...firstTurn, token: "t2", cached: true }] });
    expect((await stream.requests.take()).turns[0]).toMatchObject({ cacheMiss: true });
  });

  test("tells which instance it let go of for another", async () => {
    const { stream } = await connect({ cacheLimit: 1 });
    stream.send({ turns: [firstTurn] });
    await stream.requests.take();
    stream.send({ turns: [{ ...firstTurn, instanceId: "j", token: "t2" }] });
    expect((await stream.requests.take()).evictedInstanceIds).toEqual(["i"]);
  });

  test("does not hold an instance that sleeps long after little has happened", async () => {
    const sleeper = workflow("sleeper", (ctx, waitMs: number) => ctx.sleep(waitMs));
    const { stream } = await connect({ workflows: [chain, sleeper] });
    const sleeping = (instanceId: string, waitMs: number, more = 0) => ({
      ...{ ...firstTurn, instanceId, workflow: "sleeper" },
      newEvents: [
        h.turn(1),
        h.start("sleeper", waitMs),
        ...Array.from({ length: more }, () => h.event("unasked")),
      ],
    });
    const evicted = async (turn: ReturnType<typeof sleeping>) => {
      stream.send({ turns: [turn] });
      return (await stream.requests.take()).evictedInstanceIds;
    };
    expect(await evicted(sleeping("long", 60_000))).toEqual(["long"]);
    expect(await evicted(sleeping("naps", 9000))).toEqual([]);
    expect(await evicted(sleeping("much happened", 60_000, 60))).toEqual([]);
    stream.send({ turns: [{ ...sleeping("long", 60_000), token: "t2", cached: true }] });
    expect((await stream.requests.take()).turns[0]).toMatchObject({ cacheMiss: true });
  });

  test("sends results that are ready together in one message", async () => {
    const { stream } = await connect();
    const tasks = Array.from({ length: 20 }, (_, taskId) => ({
      instanceId: "i",
      taskId,
      activity: "increment",
      input: String(taskId),
      token: `t${taskId}`,
    }));
    stream.send({ activities: tasks, turns: [firstTurn] });
    const { turns, activities } = await stream.requests.take();
    expect(turns).toHaveLength(1);
    expect(activities.map(({ output }) => output)).toEqual(
      tasks.map(({ taskId }) => String(taskId + 1)),
    );
  });

  test("reports the failure of an activity", async () => {
    const failing = activity("failing", () => {
      throw new RangeError("too far");
    });
    const { stream } = await connect({ activities: [failing] });
    stream.send({ activities: [{ instanceId: "i", activity: "failing", token: "t" }] });
    const { activities } = await stream.requests.take();
    expect(activities[0]).toMatchObject({
      token: "t",
      failure: { type: "RangeError", message: "too far", nonRetriable: false },
    });
  });

  test("fails turns and activities that it has no code for", async () => {
    const { stream } = await connect();
    stream.send({
      turns: [{ ...firstTurn, workflow: "unknown" }],
      activities: [{ instanceId: "i", activity: "unknown", token: "t" }],
    });
    const { turns, activities } = await stream.requests.take();
    expect(turns[0]?.actions.map(describeAction)[0]).toContain("failed WorkflowNotRegistered");
    expect(activities[0]?.failure?.type).toBe("ActivityNotRegistered");
  });
});

/** What the first turn of an instance asks a server for. */
async function actionsOf(definition: AnyWorkflow): Promise<string[] | undefined> {
  const { stream } = await connect({ workflows: [definition] });
  const { name } = definition;
  const newEvents = [h.turn(1), h.start(name)];
  stream.send({ turns: [{ ...firstTurn, workflow: name, newEvents }] });
  const { turns } = await stream.requests.take();
  return turns[0]?.actions.map(describeAction);
}

describe("a turn that asks for more than a server reads", () => {
  test("fails its own instance and not the stream", async () => {
    const huge = workflow("huge", async (ctx) => {
      const input = "x".repeat(3_000_000);
      await Promise.all([1, 2, 3, 4, 5].map(() => ctx.activity(increment.name, input)));
    });
    expect(await actionsOf(huge)).toEqual([expect.stringContaining("failed PayloadTooLarge")]);
  });
});

describe("a turn that asks for more actions than a server allows", () => {
  test("fails its own instance before they are sent", async () => {
    const many = workflow("many", async (ctx) => {
      for (let sent = 0; sent <= limits.turnActions; sent += 1) ctx.sendEvent("other", "e");
    });
    expect(await actionsOf(many)).toEqual([expect.stringContaining("failed InvalidAction")]);
  });
});

describe("a failure of more text than a server reads", () => {
  const text = "x".repeat(20_000_000);

  test("of an activity fails the activity and not the stream", async () => {
    const failing = activity("failing", () => {
      throw new Error(text);
    });
    const { stream } = await connect({ activities: [failing] });
    stream.send({ activities: [{ instanceId: "i", activity: "failing", token: "t" }] });
    const { activities } = await stream.requests.take();
    expect(activities[0]?.failure).toMatchObject({ type: "PayloadTooLarge", nonRetriable: true });
    expect(activities[0]?.failure?.message.length).toBeLessThan(1000);
  });

  test("of a workflow fails the workflow and not the stream", async () => {
    const failing = workflow("failing", () => {
      throw new Error(text);
    });
    expect(await actionsOf(failing)).toEqual([expect.stringContaining("failed PayloadTooLarge")]);
  });
});

describe("a worker whose stream breaks", () => {
  test.each(["break", "end"] as const)("connects again after %s", async (how) => {
    const { stream } = await connect();
    stream[how]();
    const next = await server.streams.take();
    await next.welcome();
    next.send({ turns: [{ ...firstTurn, cached: true }] });
    // What it held went with the stream, on both sides.
    expect((await next.requests.take()).turns[0]).toMatchObject({ cacheMiss: true });
  });

  test("tries again when the server ends the stream before its welcome", async () => {
    worker = createWorker({ transport: server.transport, logger: silent });
    const started = worker.start();
    (await server.streams.take()).break();
    await (await server.streams.take()).welcome();
    await started;
  });

  test("tells its activities to stop and keeps their results", async () => {
    const aborted = createDeferred<string>();
    const waiting = activity("waiting", (_input: unknown, { signal }) => {
      signal.addEventListener("abort", () => aborted.resolve("aborted"));
      return aborted.promise;
    });
    const { stream } = await connect({ activities: [waiting] });
    stream.send({ activities: [{ instanceId: "i", activity: "waiting", token: "t" }] });
    stream.break();
    expect(await aborted.promise).toBe("aborted");
    const next = await server.streams.take();
    await next.welcome();
    next.send({ turns: [firstTurn] });
    expect((await next.requests.take()).activities).toEqual([]);
  });
});

describe("stop()", () => {
  test("finishes what was begun and hands its results over", async () => {
    const gate = createDeferred<number>();
    const waiting = activity("waiting", () => gate.promise);
    const { stream } = await connect({ activities: [waiting] });
    stream.send({ activities: [{ instanceId: "i", activity: "waiting", token: "t" }] });
    stream.send({ turns: [firstTurn] });
    await stream.requests.take();
    const stopped = worker.stop();
    gate.resolve(5);
    expect((await stream.requests.take()).activities[0]).toMatchObject({ output: "5" });
    await stopped;
  });

  test("does not wait longer than its grace, and tells activities to stop", async () => {
    const aborted = createDeferred();
    const waiting = activity("waiting", async (_input: unknown, { signal }) => {
      signal.addEventListener("abort", () => aborted.resolve());
      await new Promise(() => {});
    });
    const { stream } = await connect({ activities: [waiting], stopGraceMs: 1 });
    stream.send({ activities: [{ instanceId: "i", activity: "waiting", token: "t" }] });
    stream.send({ turns: [firstTurn] });
    await stream.requests.take();
    await worker.stop();
    await aborted.promise;
  });

  test("ends a worker that never connected", async () => {
    worker = createWorker({ transport: server.transport, logger: silent });
    const running = worker.run();
    await worker.stop();
    await running;
  });
});

describe("createWorker()", () => {
  test("refuses two definitions of one name", () => {
    expect(() => createWorker({ workflows: [chain, chain] })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  test("refuses a limit out of its range", () => {
    expect(() => createWorker({ activityLimit: 0 })).toThrow("activityLimit is out of range");
  });
});
