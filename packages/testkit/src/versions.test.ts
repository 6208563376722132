// SPDX-License-Identifier: Apache-2.0

import {
  type AnyWorkflow,
  createClient,
  createWorker,
  event,
  type Logger,
  type VersionOptions,
  type Worker,
  workflow,
} from "@pawl/client";
import type { ServedEngine } from "@pawl/server";
import { createServer } from "@pawl/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const silent: Logger = { info() {}, warn() {}, error() {} };
const go = event("go");

/** Waits for an event after each round, and says what code it was. */
function order(options: VersionOptions = {}) {
  return workflow(
    "order",
    async (ctx, rounds: number): Promise<string> => {
      await ctx.waitForEvent(go);
      if (rounds > 1) return ctx.continueAsNew(rounds - 1);
      return `${ctx.version ?? "none"} ${options.version ?? "none"}`;
    },
    options,
  );
}

const v1 = order({ version: "v1" });
const v2 = order({ version: "v2", latest: true });

describe.each(["embedded", "over gRPC"])("named versions, %s", (way) => {
  let engine: ServedEngine;
  let connect: (...workflows: AnyWorkflow[]) => Promise<Worker>;
  let close: () => Promise<void>;

  beforeEach(async () => {
    const server = await createServer({ port: 0, store: "memory", shutdownGraceMs: 100 });
    engine = server.engine;
    const client =
      way === "embedded" ? createClient({ engine }) : createClient({ baseUrl: server.url });
    const workers: Worker[] = [];
    connect = async (...workflows) => {
      const worker = createWorker({ client, workflows, logger: silent });
      workers.push(worker);
      await worker.start();
      return worker;
    };
    close = async () => {
      for (const worker of workers) await worker.stop();
      client.close();
      await server.close();
    };
  });

  afterEach(() => close());

  const start = (instanceId: string, rounds = 1) =>
    engine.start({ workflow: "order", instanceId, input: String(rounds) });
  const ended = async (instanceId: string) => (await engine.waitForCompletion(instanceId)).output;

  test("an instance stays with the version that it began with; new ones get the latest", async () => {
    const old = await connect(v1);
    await start("a");
    expect(await engine.waitForStart("a")).toMatchObject({ version: "v1" });
    await old.stop();
    await connect(v1, v2);
    await start("b");
    await engine.raiseEvent("a", "go");
    await engine.raiseEvent("b", "go");
    expect(await ended("a")).toBe('"v1 v1"');
    expect(await ended("b")).toBe('"v2 v2"');
    expect((await engine.get("b"))?.version).toBe("v2");
  });

  test("one whose version no worker has stalls, and goes on when one comes", async () => {
    const old = await connect(v1);
    await start("a");
    await engine.waitForStart("a");
    await old.stop();
    await connect(v2);
    await engine.raiseEvent("a", "go");
    expect(await engine.waitUntil("a", ({ status }) => status === "stalled")).toMatchObject({
      stallReason: "Version not available: v1",
      stallCode: "VERSION_NOT_AVAILABLE",
    });
    await connect(order({ version: "v1", latest: false }));
    expect(await ended("a")).toBe('"v1 v1"');
    const kinds = (await engine.history("a")).map(({ eventType }) => eventType.case);
    expect(kinds.filter((kind) => kind === "executionStalled")).toHaveLength(1);
  });

  test("the next execution of an instance gets the latest", async () => {
    const old = await connect(v1);
    await start("a", 2);
    await engine.waitForStart("a");
    await old.stop();
    await connect(v1, v2);
    await engine.raiseEvent("a", "go");
    await engine.raiseEvent("a", "go");
    expect(await ended("a")).toBe('"v2 v2"');
  });

  test("one that began before there were versions goes on without", async () => {
    const old = await connect(order());
    await start("a");
    await engine.waitForStart("a");
    await old.stop();
    await connect(order(), v1);
    await start("b");
    await engine.raiseEvent("a", "go");
    await engine.raiseEvent("b", "go");
    expect(await ended("a")).toBe('"none none"');
    expect(await ended("b")).toBe('"v1 v1"');
  });
});
