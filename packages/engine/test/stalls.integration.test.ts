// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { complete, schedule, timer, unknownAction, versionNotAvailable } from "./actions.js";
import { flows } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import { kinds } from "./scripted-worker.js";

const input = "x".repeat(1000);

describe("a turn whose answer cannot be carried out", () => {
  test.each([
    ["an unknown action", [unknownAction(0)]],
    ["an action that history has", [schedule(0, "again")]],
    ["an action that cannot be encoded", [schedule(2 ** 31, "far")]],
  ])("%s: is tried again, with growing pauses", async (_, actions) => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ activities: [] });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [schedule(0, "first")]);
    await under.engine.raiseEvent("a", "go");
    const before = await under.engine.get("a");
    for (const [attempt, waitMs] of [100, 200, 400, 800].entries()) {
      await worker.completeTurn(await worker.turn(attempt + 2), actions);
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
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    for (let attempt = 1; attempt <= 20; attempt += 1) {
      await worker.completeTurn(await worker.turn(attempt), [unknownAction(0)]);
      under.clock.advance(30_000);
    }
    await worker.completeTurn(await worker.turn(21), []);
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(22), [unknownAction(0)]);
    under.clock.advance(100);
    await worker.turn(23);
    await under.engine.close();
  });

  test("does not hold up other instances", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ workflows: ["bad"] });
    under.connect({ workflows: ["echo"], flows });
    await under.engine.start({ workflow: "bad", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [unknownAction(0)]);
    await under.engine.start({ workflow: "echo", instanceId: "b" });
    expect((await under.engine.waitForCompletion("b")).status).toBe("completed");
    await under.engine.close();
  });

  test("may be purged by force meanwhile", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [unknownAction(0)]);
    await under.engine.purge("a", { force: true });
    under.clock.advance(1000);
    await under.engine.idle();
    expect(worker.turns).toHaveLength(1);
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(2), [complete(0)]);
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
    await worker.completeTurn(await worker.turn(), [timer(0, 9_000_000)]);
    await under.engine.raiseEvent("a", "go", input);
    await worker.completeTurn(await worker.turn(2), []);
    await under.engine.raiseEvent("a", "go", input);
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("stalled");
    await expect(under.engine.raiseEvent("a", "more")).rejects.toMatchObject({
      code: "INSTANCE_STALLED",
    });
    const large = under.connect({ cache: "result" });
    await large.completeTurn(await large.turn(), []);
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

describe("patches that a worker lacks", () => {
  test("stall the instance until a worker comes that has them", async () => {
    const under = await EngineUnderTest.open();
    const old = under.connect({ workflows: ["w"] });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await old.completeTurn(await old.turn(), [timer(0, 9e6)], { version: { patches: ["p"] } });
    await under.engine.raiseEvent("a", "go");
    await old.completeTurn(await old.turn(2), [complete(1)], { version: { patches: [] } });
    expect(await under.engine.get("a")).toMatchObject({
      status: "stalled",
      stallReason: expect.stringContaining("History patches: [p], current patches: []"),
    });
    for (const refused of [
      under.engine.raiseEvent("a", "go"),
      under.engine.suspend("a"),
      under.engine.resume("a"),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: "INSTANCE_STALLED" });
    }
    const after = await under.crash();
    expect((await after.engine.get("a"))?.status).toBe("stalled");
    const next = after.connect({ workflows: ["w"] });
    await next.completeTurn(await next.turn(), [complete(1)], { version: { patches: ["p"] } });
    expect((await after.engine.get("a"))?.status).toBe("completed");
    await after.engine.close();
  });
});

describe("a version that no worker has", () => {
  test("stalls the instance until a worker comes that has it", async () => {
    const under = await EngineUnderTest.open();
    const old = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await old.completeTurn(await old.turn(), [timer(0, 9e6)], {
      version: { name: "v1", patches: [] },
    });
    await under.engine.raiseEvent("a", "go");
    await old.completeTurn(await old.turn(2), [versionNotAvailable(0)]);
    expect(await under.engine.get("a")).toMatchObject({
      status: "stalled",
      version: "v1",
      stallReason: "Version not available: v1",
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
