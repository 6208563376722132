// SPDX-License-Identifier: Apache-2.0

import { EventRecord, encodeFrames } from "@pawl/protocol";
import { afterEach, describe, expect, test } from "vitest";
import { Channel } from "../../../test/fake-server.js";
import { history as h } from "../../../test/history.js";
import { describeAction, silent } from "../../../test/replay-of.js";
import { activity, workflow } from "../../definition.js";
import type { EnginePort, TurnItem, WorkerPort } from "../../port.js";
import { createWorker, type Worker } from "../worker.js";

type Deliver = Parameters<WorkerPort["connectWorker"]>[1];

const twice = workflow("twice", async (ctx) => {
  await ctx.activity("first");
  await ctx.activity("second");
});

/** An engine that only hands out what a test gives it, and may refuse results. */
class FakeEngine {
  readonly sessions = new Channel<Deliver>();
  readonly turns = new Channel<string[]>();
  readonly results = new Channel<unknown>();
  readonly returned = new Channel<string>();
  readonly closed = new Channel<true>();
  refusal: Error | undefined;
  answerCount = 0;

  /** The worker's part of an engine's ports; a worker uses no other. */
  get port(): EnginePort {
    const port: WorkerPort = {
      connectWorker: (_registration, deliver) => {
        this.sessions.push(deliver);
        return {
          workerId: "w",
          evict() {},
          returnTurn: (instanceId) => {
            this.answerCount += 1;
            this.returned.push(instanceId);
          },
          close: () => this.closed.push(true),
        };
      },
      completeTurn: async ({ actions }) => {
        this.answerCount += 1;
        if (this.refusal !== undefined) throw this.refusal;
        this.turns.push(actions.map(describeAction));
      },
      completeActivity: async (completion) => {
        this.answerCount += 1;
        this.results.push(completion);
      },
      workerCount: () => 1,
    };
    return port as EnginePort;
  }
}

const record = EventRecord.of;
const turn: TurnItem = {
  kind: "turn",
  instanceId: "i",
  executionId: "e",
  workflow: "twice",
  token: "t",
  cachedEventCount: 0,
  pastEventCount: 0,
  past: [],
  events: [h.turn(1), h.start("twice")].map(record),
};

let worker: Worker;

afterEach(async () => {
  await worker.stop();
});

async function connect(engine: FakeEngine): Promise<Deliver> {
  const echo = activity("echo", (input: unknown) => input);
  const throws = activity("throws", () => {
    throw new RangeError("too far");
  });
  const rejects = activity("rejects", () => Promise.reject(new TypeError("not that")));
  worker = createWorker({
    engine: engine.port,
    workflows: [twice],
    activities: [echo, throws, rejects],
    logger: silent,
  });
  await worker.start();
  return engine.sessions.take();
}

describe("a worker in the engine's process", () => {
  test("replays encoded history, then goes on from what it holds", async () => {
    const engine = new FakeEngine();
    const deliver = await connect(engine);
    const past = [h.turn(1), h.start("twice"), h.activity(0, "first")].map(record);
    const frames = [encodeFrames(past.slice(0, 2)), encodeFrames(past.slice(2))];
    const events = [h.turn(2), h.activityDone(0)].map(record);
    deliver({ ...turn, past: frames, pastEventCount: 3, events });
    expect(await engine.turns.take()).toEqual(["1 activity second"]);
    const next = [h.turn(3), h.activityDone(1)].map(record);
    deliver({ ...turn, token: "t2", cachedEventCount: 6, pastEventCount: 6, events: next });
    expect(await engine.turns.take()).toEqual(["2 completed"]);
  });

  test("gives back a turn whose instance it does not hold", async () => {
    const engine = new FakeEngine();
    (await connect(engine))({ ...turn, cachedEventCount: 3, pastEventCount: 3 });
    expect(await engine.returned.take()).toBe("i");
  });

  test("runs activities", async () => {
    const engine = new FakeEngine();
    const deliver = await connect(engine);
    const task = { instanceId: "i", executionId: "e", taskExecutionId: "x", token: "t" };
    deliver({ ...task, kind: "activity", taskId: 3, name: "echo", input: "null" });
    expect(await engine.results.take()).toMatchObject({ taskId: 3, token: "t", output: "null" });
    deliver({ ...task, kind: "activity", taskId: 4, name: "echo" });
    expect(await engine.results.take()).not.toHaveProperty("output");
  });

  test("answers when the delivery has returned, also what it knows at once", async () => {
    const engine = new FakeEngine();
    const deliver = await connect(engine);
    const task = { instanceId: "i", executionId: "e", taskExecutionId: "x", token: "t" };
    for (const [taskId, name] of ["echo", "throws", "rejects", "unknown"].entries()) {
      deliver({ ...task, kind: "activity", taskId, name });
    }
    deliver({ ...turn, cachedEventCount: 3 });
    deliver({ ...turn, workflow: "unknown" });
    expect(engine.answerCount).toBe(0);
    const results = [1, 2, 3, 4].map(() => engine.results.take());
    expect(await Promise.all(results)).toMatchObject([
      { taskId: 0 },
      { taskId: 1, failure: { errorType: "RangeError" } },
      { taskId: 3, failure: { errorType: "ActivityNotRegistered" } },
      { taskId: 2, failure: { errorType: "TypeError" } },
    ]);
    expect(await engine.returned.take()).toBe("i");
    expect(await engine.turns.take()).toEqual([expect.stringContaining("failed")]);
  });

  test("connects anew when a result was not taken, so that its item comes again", async () => {
    const engine = new FakeEngine();
    const deliver = await connect(engine);
    engine.refusal = new Error("the store is being reopened");
    deliver(turn);
    await engine.closed.take();
    engine.refusal = undefined;
    (await engine.sessions.take())(turn);
    expect(await engine.turns.take()).toEqual(["0 activity first"]);
  });
});
