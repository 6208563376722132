// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { child, complete, continueWith, schedule, timer } from "./actions.js";
import { flows } from "./flows.js";
import { tick } from "./manual-clock.js";
import { EngineUnderTest } from "./open-engine.js";

const ignore = (): void => {};

describe("a start among commands that are refused", () => {
  test.each([0, 1, 2, 3, 5, 8, 13, 21])(
    "is not lost when it comes after %i of them",
    async (before) => {
      const under = await EngineUnderTest.open();
      under.connect({ flows });
      for (let round = 0; round < 20; round += 1) {
        const instanceId = `a${round}`;
        const refused: Promise<void>[] = [];
        let started: Promise<unknown> | undefined;
        for (let step = 0; step < 30; step += 1) {
          if (step === before) {
            started = under.engine.start({ workflow: "echo", instanceId, input: "x" });
          }
          refused.push(under.engine.suspend(instanceId).catch(ignore));
          for (let count = 0; count < round % 7; count += 1) await tick();
        }
        await Promise.all([started, ...refused]);
        await under.engine.resume(instanceId);
        expect((await under.engine.waitForCompletion(instanceId)).output).toBe("x");
      }
      await under.engine.close();
    },
  );

  test("is given to one of many, though others look at the id meanwhile", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ workflows: [] });
    const answers = await Promise.allSettled(
      Array.from({ length: 60 }, (_, index) =>
        index % 3 === 0
          ? under.engine.start({ workflow: "w", instanceId: "a" })
          : under.engine.purge("a").then(() => undefined),
      ),
    );
    const started = answers.filter((one) => one.status === "fulfilled" && one.value !== undefined);
    expect(started).toHaveLength(1);
    expect((await under.engine.list()).instances).toHaveLength(1);
    await under.engine.close();
  });
});

describe("reads during a commit", () => {
  test("history is that of one commit, whatever is written between its reads", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [timer(0, 1_009_000)]);
    await under.engine.raiseEvent("a", "go");
    const turn = await worker.turn(2);
    // The row is read; before the chunks are, the next turn is written.
    const gate = under.faults.hold("range");
    const reading = under.engine.history("a");
    while (gate.waiting() === 0) await nextTick();
    await worker.completeTurn(turn, [complete(1)]);
    gate.release();
    expect(await reading).toHaveLength(6);
    await under.engine.close();
  });

  test("a list has the instance as it was when the list began, whatever is written meanwhile", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a", input: "x" });
    await worker.completeTurn(await worker.turn(), [timer(0, 1_009_000)]);
    await under.engine.raiseEvent("a", "go");
    const turn = await worker.turn(2);
    const gate = under.faults.hold("get");
    const reading = under.engine.list();
    while (gate.waiting() === 0) await nextTick();
    // Continue-as-new takes the chunks away that the row has just promised.
    await worker.completeTurn(turn, [continueWith(1, "y")]);
    gate.release();
    expect((await reading).instances).toMatchObject([{ status: "running", input: "x" }]);
    expect((await under.engine.list()).instances).toMatchObject([{ input: "y" }]);
    await under.engine.close();
  });
});

describe("a store that fails while something is read for a worker", () => {
  test("leaves no trace of the item that was being made", async () => {
    const under = await EngineUnderTest.open({ historyCacheBytes: 1 });
    const worker = under.connect({ turnLimit: 1, cache: "result" });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [timer(0, 1_009_000)]);
    worker.session.evict(["a"]);
    const gate = under.faults.hold("range");
    await under.engine.raiseEvent("a", "go");
    while (gate.waiting() === 0) await nextTick();
    under.faults.failNext(1, "error", ["write"]);
    const reopened = under.untilReady();
    await expect(under.engine.start({ workflow: "w" })).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
    });
    gate.release();
    await reopened;
    const turn = await worker.turn(2);
    await worker.completeTurn(turn, [complete(1)]);
    expect((await under.engine.get("a"))?.status).toBe("completed");
    await under.engine.start({ workflow: "w", instanceId: "b" });
    await worker.completeTurn(await worker.turn(3), [complete(0)]);
    await under.engine.idle();
    expect(worker.turns).toHaveLength(3);
    await under.engine.close();
  });
});

describe("the id of an instance that ends while it is looked at", () => {
  test("is not used again while a child goes on that it left behind", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const turn = await worker.turn();
    // It has not ended when the start looks below it, and has when the start is decided on.
    const again = under.engine.start({ workflow: "w", instanceId: "a" });
    const ended = worker.completeTurn(turn, [child(0, "w", "c"), complete(1)]);
    await expect(again).rejects.toMatchObject({
      code: "INSTANCE_EXISTS",
      message: expect.stringContaining("child workflow 'c' has not ended"),
    });
    await ended;
    await under.engine.close();
  });

  test("is not used again while the start of a child is on its way", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const turn = await worker.turn();
    // Where the child would be has to be read; who asked for it stays in memory, for its activity.
    const gate = under.faults.hold("get");
    await worker.completeTurn(turn, [schedule(0, "x"), child(1, "w", "c"), complete(2)]);
    while (gate.waiting() === 0) await nextTick();
    const again = under.engine.start({ workflow: "w", instanceId: "a" });
    gate.release();
    await expect(again).rejects.toMatchObject({
      code: "INSTANCE_EXISTS",
      message: expect.stringContaining("child workflow 'c' has not ended"),
    });
    await under.engine.close();
  });

  test("is not purged with all below while the start of a child is on its way", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const turn = await worker.turn();
    const gate = under.faults.hold("get");
    await worker.completeTurn(turn, [schedule(0, "x"), child(1, "w", "c"), complete(2)]);
    while (gate.waiting() === 0) await nextTick();
    const purged = under.engine.purge("a");
    for (let count = 0; count < 5; count += 1) await nextTick();
    gate.release();
    await expect(purged).rejects.toMatchObject({ code: "INSTANCE_NOT_ENDED" });
    expect((await under.engine.get("c"))?.status).toBe("pending");
    await under.engine.close();
  });

  test("is used again when nothing is left below it", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const turn = await worker.turn();
    const again = under.engine.start({ workflow: "w", instanceId: "a" });
    const ended = worker.completeTurn(turn, [complete(1)]);
    await Promise.all([again, ended]);
    expect((await under.engine.get("a"))?.generation).toBe(2);
    await under.engine.close();
  });
});
