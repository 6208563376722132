// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import type { InstanceChange } from "@pawl/protocol/port";
import { describe, expect, test } from "vitest";
import type { StoreWrite } from "../src/store/store.js";
import { complete, continueWith } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";

async function collect(changes: AsyncIterable<InstanceChange>): Promise<InstanceChange[]> {
  const seen: InstanceChange[] = [];
  for await (const change of changes) seen.push(change);
  return seen;
}

function kinds(change: InstanceChange): (string | undefined)[] {
  return (change.events ?? []).map(({ eventType }) => eventType.case);
}

/** The next change; a stream that has ended fails the test. */
async function next(changes: AsyncIterator<InstanceChange>): Promise<InstanceChange> {
  const { done, value } = await changes.next();
  if (done === true) throw new Error("the watch has ended");
  return value;
}

describe("watch()", () => {
  test("gives the present state and each newer one, and ends with the end", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const changes = under.engine.watch("a")[Symbol.asyncIterator]();
    expect((await next(changes)).instance).toMatchObject({ status: "pending" });
    await worker.completeTurn(await worker.turn(), [], { customStatus: "one" });
    expect((await next(changes)).instance).toMatchObject({
      status: "running",
      customStatus: "one",
    });
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(2), [complete(0, "x")]);
    expect((await next(changes)).instance).toMatchObject({ status: "completed", output: "x" });
    expect(await changes.next()).toEqual({ done: true, value: undefined });
    await under.engine.close();
  });

  test("gives a slow reader the newest state, and every event of history", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, tasks });
    await under.engine.start({ workflow: "chain", instanceId: "a", input: "x" });
    const changes = under.engine.watch("a", { history: true })[Symbol.asyncIterator]();
    const first = await next(changes);
    await under.engine.waitForCompletion("a");
    const last = await next(changes);
    expect(last.instance.status).toBe("completed");
    const history = await under.engine.history("a");
    expect([...(first.events ?? []), ...(last.events ?? [])]).toEqual(history);
    expect((await changes.next()).done).toBe(true);
    await under.engine.close();
  });

  test("has the one state of an ended instance", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "echo", instanceId: "a" });
    await under.engine.waitForCompletion("a");
    expect(await collect(under.engine.watch("a"))).toHaveLength(1);
    await under.engine.close();
  });

  test("goes on after its token, in another life of the engine, without gap or repeat", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const before = under.engine.watch("a", { history: true })[Symbol.asyncIterator]();
    const seen = [await next(before)];
    await worker.completeTurn(await worker.turn(), []);
    seen.push(await next(before));
    await under.engine.raiseEvent("a", "first");
    await worker.completeTurn(await worker.turn(2), []);
    await under.engine.close();

    const again = await under.reopen();
    const resumeToken = seen.at(-1)?.resumeToken ?? "";
    const after = again.engine.watch("a", { history: true, resumeToken })[Symbol.asyncIterator]();
    const missed = await next(after);
    expect(kinds(missed)).toEqual(["workflowStarted", "eventRaised"]);
    expect(missed.restarted).toBe(false);
    const successor = again.connect({});
    await again.engine.raiseEvent("a", "second");
    await successor.completeTurn(await successor.turn(), [complete(0, "x")]);
    seen.push(missed, await next(after));
    expect(seen.flatMap(({ events }) => events ?? [])).toEqual(await again.engine.history("a"));
    expect((await after.next()).done).toBe(true);
    await again.engine.close();
  });

  test("gives nothing twice: a token of the newest state waits for the next", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const { resumeToken } = await next(under.engine.watch("a")[Symbol.asyncIterator]());
    const changes = under.engine.watch("a", { resumeToken })[Symbol.asyncIterator]();
    const coming = next(changes);
    // An event that no turn has taken changes nothing that is seen.
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(), []);
    expect((await coming).instance.status).toBe("running");
    await under.engine.close();
  });

  test("says so when another execution has taken the place of the one seen", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a", input: "1" });
    const changes = under.engine.watch("a", { history: true })[Symbol.asyncIterator]();
    const first = await next(changes);
    await worker.completeTurn(await worker.turn(), [continueWith(0, "2")]);
    await worker.completeTurn(await worker.turn(2), []);
    const second = await next(changes);
    expect(second.restarted).toBe(true);
    expect(second.instance.executionId).not.toBe(first.instance.executionId);
    const { resumeToken } = first;
    const resumed = under.engine.watch("a", { history: true, resumeToken });
    const again = await next(resumed[Symbol.asyncIterator]());
    expect(again.restarted).toBe(true);
    expect(again.events).toEqual(await under.engine.history("a"));
    await under.engine.close();
  });

  test("tells the rest of an execution whose id was used again meanwhile, and ends with its end", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const slow = under.engine.watch("a", { history: true })[Symbol.asyncIterator]();
    const first = await next(slow);
    await worker.completeTurn(await worker.turn(), [complete(0, "x")]);
    const ended = await under.engine.history("a");
    await under.engine.start({ workflow: "w", instanceId: "a" });

    const { resumeToken } = first;
    const resumed = await collect(under.engine.watch("a", { history: true, resumeToken }));
    const [last] = resumed;
    expect(resumed).toHaveLength(1);
    expect(last).toMatchObject({
      restarted: false,
      instance: { status: "completed", output: "x" },
    });
    expect(last?.events).toEqual(ended);
    expect(await next(slow)).toEqual(last);
    expect((await slow.next()).done).toBe(true);

    // Who has seen that end goes on with the next execution.
    const after = { history: true, resumeToken: last?.resumeToken ?? "" };
    const present = await next(under.engine.watch("a", after)[Symbol.asyncIterator]());
    expect(present).toMatchObject({ restarted: true, instance: { status: "pending" }, events: [] });
    await under.engine.close();
  });

  test("goes on with the present execution where the one seen is not kept", async () => {
    const under = await EngineUnderTest.open({ keepExecutions: false });
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const { resumeToken } = await next(under.engine.watch("a")[Symbol.asyncIterator]());
    await worker.completeTurn(await worker.turn(), [complete(0, "x")]);
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const present = await next(under.engine.watch("a", { resumeToken })[Symbol.asyncIterator]());
    expect(present).toMatchObject({ restarted: true, instance: { status: "pending" } });
    await under.engine.close();
  });

  test("takes what a commit on its way has deleted for no damage", async () => {
    const under = await EngineUnderTest.open();
    const { engine, faults } = under;
    const worker = under.connect({});
    await engine.start({ workflow: "w", instanceId: "a", input: "1" });
    await worker.completeTurn(await worker.turn(), []);
    await engine.raiseEvent("a", "go");
    const turn = await worker.turn(2);
    const gate = faults.hold("write");
    let batch: readonly StoreWrite[] = [];
    faults.onCall = (call, subject) => {
      if (call === "write" && Array.isArray(subject)) batch = subject;
    };
    const continued = worker.completeTurn(turn, [continueWith(0, "2")]);
    while (gate.waiting() === 0) await nextTick();
    // On disk, and the engine does not know it yet.
    await faults.behind.write(batch);
    const first = next(engine.watch("a", { history: true })[Symbol.asyncIterator]());
    for (let tick = 0; tick < 20; tick += 1) await nextTick();
    gate.release();
    await continued;
    expect((await first).events).toEqual(await engine.history("a"));
    await engine.close();
  });

  test("ends when the instance is purged", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const watching = collect(under.engine.watch("a"));
    await nextTick();
    await under.engine.purge("a", { force: true });
    expect(await watching).toHaveLength(1);
    await under.engine.close();
  });

  test("goes on over a failed write, when the store is open again", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows });
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    const watching = collect(under.engine.watch("a"));
    await under.engine.idle();
    under.faults.failNext(1, "error", ["write"]);
    await under.engine.raiseEvent("a", "item", "x").catch(() => {});
    await under.engine.idle();
    await under.engine.terminate("a");
    expect((await watching).at(-1)?.instance.status).toBe("terminated");
    await worker.close();
    await under.engine.close();
  });

  test("ends with CANCELLED when it is aborted", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const controller = new AbortController();
    const watching = collect(under.engine.watch("a", { signal: controller.signal }));
    await nextTick();
    controller.abort();
    await expect(watching).rejects.toMatchObject({ code: "CANCELLED" });
    const aborted = collect(under.engine.watch("a", { signal: controller.signal }));
    await expect(aborted).rejects.toMatchObject({ code: "CANCELLED" });
    await under.engine.close();
  });

  test("ends with SHUTTING_DOWN when the engine closes", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const watching = collect(under.engine.watch("a"));
    await nextTick();
    await under.engine.close();
    await expect(watching).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
  });

  test("refuses an id that nobody has", async () => {
    const under = await EngineUnderTest.open();
    await expect(collect(under.engine.watch("nobody"))).rejects.toMatchObject({
      code: "INSTANCE_NOT_FOUND",
    });
    await under.engine.close();
  });

  test.each(["", "x", "e30", Buffer.from("null").toString("base64url")])(
    "refuses a token that is none: %j",
    async (resumeToken) => {
      const under = await EngineUnderTest.open();
      await under.engine.start({ workflow: "w", instanceId: "a" });
      await expect(collect(under.engine.watch("a", { resumeToken }))).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
      await under.engine.close();
    },
  );
});
