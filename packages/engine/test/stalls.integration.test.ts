// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { complete, schedule, timer, versionNotAvailable } from "./actions.js";
import { flows } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import { kinds, type ScriptedWorker } from "./scripted-worker.js";

const input = "x".repeat(1000);
/** What no turn may ask for once history has it. */
const again = [schedule(0, "again")];

describe("a turn whose answer cannot be carried out", () => {
  test("for it asks for what history has: is tried again, with growing pauses", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ activities: [] });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [schedule(0, "first")]);
    await under.engine.raiseEvent("a", "go");
    const before = await under.engine.get("a");
    for (const [attempt, waitMs] of [100, 200, 400, 800].entries()) {
      await worker.completeTurn(await worker.turn(attempt + 2), again);
      under.clock.advance(waitMs - 1);
      await under.engine.idle();
      expect(worker.turns).toHaveLength(attempt + 2);
      under.clock.advance(1);
    }
    expect(await under.engine.get("a")).toEqual(before);
    await worker.completeTurn(await worker.turn(6), [complete(1, '"well"')]);
    expect((await under.engine.get("a"))?.output).toBe('"well"');
    await under.engine.close();
  });

  test("pauses at most half a minute, and starts over after a good one", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ activities: [] });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), again);
    await under.engine.raiseEvent("a", "go");
    for (let attempt = 2; attempt <= 21; attempt += 1) {
      await worker.completeTurn(await worker.turn(attempt), again);
      under.clock.advance(30_000);
    }
    await worker.completeTurn(await worker.turn(22), []);
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(23), again);
    under.clock.advance(100);
    await worker.turn(24);
    await under.engine.close();
  });

  test("does not hold up other instances", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ workflows: ["bad"], activities: [] });
    under.connect({ workflows: ["echo"], flows, activities: [] });
    await under.engine.start({ workflow: "bad", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), again);
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(2), again);
    await under.engine.start({ workflow: "echo", instanceId: "b" });
    expect((await under.engine.waitForCompletion("b")).status).toBe("completed");
    await under.engine.close();
  });

  test("may be purged by force meanwhile", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ activities: [] });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), again);
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(2), again);
    await under.engine.purge("a", { force: true });
    under.clock.advance(1000);
    await under.engine.idle();
    expect(worker.turns).toHaveLength(2);
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(3), [complete(0)]);
    expect((await under.engine.get("a"))?.status).toBe("completed");
    await under.engine.close();
  });
});

describe("a turn that is too large for its worker", () => {
  test("stalls its instance, says why, and leaves the others alone", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, turnBytes: 500 });
    await under.engine.start({ workflow: "echo", instanceId: "big", input });
    await under.engine.start({ workflow: "echo", instanceId: "small", input: "x" });
    expect((await under.engine.waitForCompletion("small")).output).toBe("x");
    await under.engine.idle();
    expect(await under.engine.get("big")).toMatchObject({
      status: "stalled",
      input,
      stallReason: expect.stringContaining("Workflow payload size"),
      stallCode: "PAYLOAD_SIZE_EXCEEDED",
    });
    await under.engine.close();
  });

  test("goes to another worker that takes it, if there is one", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, turnBytes: 500 });
    under.connect({ flows, turnBytes: 5000, turnLimit: 1 });
    await under.engine.start({ workflow: "echo", instanceId: "big", input });
    expect((await under.engine.waitForCompletion("big")).status).toBe("completed");
    expect(kinds(await under.engine.history("big"))).not.toContain("executionStalled");
    await under.engine.close();
  });

  test("goes on when a worker comes that takes it, though the small one stays", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, turnBytes: 500 });
    await under.engine.start({ workflow: "echo", instanceId: "big", input });
    await under.engine.idle();
    under.connect({ flows, turnBytes: 600 });
    await under.engine.idle();
    expect((await under.engine.get("big"))?.status).toBe("stalled");
    under.connect({ flows });
    expect((await under.engine.waitForCompletion("big")).output).toBe(input);
    const stalls = kinds(await under.engine.history("big")).filter(
      (kind) => kind === "executionStalled",
    );
    expect(stalls).toHaveLength(1);
    await under.engine.close();
  });

  test("stalls an instance whose history has grown, and goes on with a worker that caches", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ turnBytes: 2500 });
    await under.engine.start({ workflow: "w", instanceId: "a", input });
    await worker.completeTurn(await worker.turn(), [timer(0, 1_009_000)]);
    await under.engine.raiseEvent("a", "go", input);
    await worker.completeTurn(await worker.turn(2), []);
    await under.engine.raiseEvent("a", "go", input);
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("stalled");
    await under.engine.raiseEvent("a", "more");
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("stalled");
    const large = under.connect({ cache: "result" });
    const turn = await large.turn();
    expect(turn.events).toHaveLength(3);
    await large.completeTurn(turn, []);
    expect((await under.engine.get("a"))?.status).toBe("running");
    await under.engine.raiseEvent("a", "go", input);
    expect((await large.turn(2)).past).toEqual([]);
    await under.engine.close();
  });

  test("stays stalled over a crash, and goes on from there", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, turnBytes: 500 });
    await under.engine.start({ workflow: "echo", instanceId: "big", input });
    await under.engine.idle();
    const after = await under.crash();
    expect((await after.engine.get("big"))?.status).toBe("stalled");
    after.connect({ flows });
    expect((await after.engine.waitForCompletion("big")).output).toBe(input);
    await after.engine.close();
  });

  test("may be terminated and purged while it is stalled", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, turnBytes: 500 });
    for (const instanceId of ["a", "b"]) {
      await under.engine.start({ workflow: "echo", instanceId, input });
    }
    await under.engine.idle();
    await under.engine.terminate("a");
    expect((await under.engine.waitForCompletion("a")).status).toBe("terminated");
    expect(await under.engine.purge("a")).toBe(1);
    await expect(under.engine.purge("b")).rejects.toMatchObject({ code: "INSTANCE_NOT_ENDED" });
    expect(await under.engine.purge("b", { force: true })).toBe(1);
    const idle = under.connect({ flows });
    await under.engine.idle();
    expect(idle.items).toEqual([]);
    await under.engine.close();
  });
});

describe("a version that no worker has", () => {
  test("stalls the instance until a worker comes that has it", async () => {
    const under = await EngineUnderTest.open();
    const old = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await old.completeTurn(await old.turn(), [timer(0, 1_009_000)], {
      version: { name: "v1", patches: [] },
      customStatus: '"before"',
    });
    await under.engine.raiseEvent("a", "go");
    const lacking = [versionNotAvailable(0)];
    await old.completeTurn(await old.turn(2), lacking, { customStatus: '"of the stall"' });
    expect(await under.engine.get("a")).toMatchObject({
      status: "stalled",
      customStatus: '"before"',
      version: "v1",
      stallReason: "Version not available: v1",
      stallCode: "VERSION_NOT_AVAILABLE",
    });
    old.close();
    const next = under.connect({});
    const turn = await next.turn();
    expect(kinds(turn.events.map(({ event }) => event))).toEqual([
      "workflowStarted",
      "eventRaised",
    ]);
    await next.completeTurn(turn, [complete(1)]);
    expect((await under.engine.get("a"))?.status).toBe("completed");
    await under.engine.close();
  });
});

describe("patches that the worker's code does not take", () => {
  const patched = { version: { patches: ["a"] } };

  async function stalled(): Promise<{ under: EngineUnderTest; worker: ScriptedWorker }> {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [timer(0, 1_009_000)], patched);
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(2), [complete(1)]);
    expect(await under.engine.get("a")).toMatchObject({
      status: "stalled",
      stallReason: "Patch mismatch. History patches: [a], current patches: []. ",
      stallCode: "PATCH_MISMATCH",
    });
    return { under, worker };
  }

  test("stall the instance until a worker comes whose code takes them", async () => {
    const { under } = await stalled();
    const next = under.connect({});
    await next.completeTurn(await next.turn(), [complete(1)], patched);
    const instance = await under.engine.get("a");
    expect(instance?.status).toBe("completed");
    expect(instance).not.toHaveProperty("stallCode");
    await under.engine.close();
  });

  test("stall it again, and once in history, after an event that such a worker did not take", async () => {
    const { under, worker } = await stalled();
    await under.engine.raiseEvent("a", "go");
    const turn = await worker.turn(3);
    expect(turn.events).toHaveLength(3);
    await worker.completeTurn(turn, [complete(1)]);
    await under.engine.suspend("a");
    await worker.completeTurn(await worker.turn(4), [complete(1)]);
    const history = kinds(await under.engine.history("a"));
    expect(history.filter((kind) => kind === "executionStalled")).toHaveLength(1);
    expect((await under.engine.get("a"))?.status).toBe("stalled");
    await under.engine.close();
  });

  test("are two stalls in history when they differ", async () => {
    const { under, worker } = await stalled();
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(3), [], { version: { patches: ["b"] } });
    const history = kinds(await under.engine.history("a"));
    expect(history.filter((kind) => kind === "executionStalled")).toHaveLength(2);
    await under.engine.close();
  });

  test("stay a stall over a crash, with what the inbox has", async () => {
    const { under } = await stalled();
    await under.engine.raiseEvent("a", "more");
    const after = await under.crash();
    expect((await after.engine.get("a"))?.stallCode).toBe("PATCH_MISMATCH");
    const same = after.connect({});
    await same.completeTurn(await same.turn(), [complete(1)]);
    const stalls = kinds(await after.engine.history("a")).filter(
      (kind) => kind === "executionStalled",
    );
    expect(stalls).toHaveLength(1);
    const next = after.connect({});
    const turn = await next.turn();
    expect(turn.events).toHaveLength(3);
    await next.completeTurn(turn, [complete(1)], patched);
    expect((await after.engine.get("a"))?.status).toBe("completed");
    await after.engine.close();
  });

  test("do not keep it from being terminated", async () => {
    const { under } = await stalled();
    await under.engine.terminate("a", { output: '"enough"' });
    expect(await under.engine.waitForCompletion("a")).toMatchObject({
      status: "terminated",
      output: '"enough"',
    });
    await under.engine.close();
  });
});

describe("a worker that lacks the code, beside one that has it", () => {
  test.each([
    ["lacks the version", [versionNotAvailable(0)], undefined],
    ["takes other patches", [complete(1)], { patches: [] }],
  ])("%s: the turn goes to the other at once, and nothing stalls", async (_, answer, version) => {
    const under = await EngineUnderTest.open();
    const old = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await old.completeTurn(await old.turn(), [timer(0, 1_009_000)], {
      version: { patches: ["a"] },
    });
    const next = under.connect({});
    await under.engine.raiseEvent("a", "go");
    await old.completeTurn(await old.turn(2), answer, version === undefined ? {} : { version });
    await next.completeTurn(await next.turn(), [complete(1)], { version: { patches: ["a"] } });
    expect((await under.engine.get("a"))?.status).toBe("completed");
    expect(kinds(await under.engine.history("a"))).not.toContain("executionStalled");
    expect(old.turns).toHaveLength(2);
    await under.engine.close();
  });
});
