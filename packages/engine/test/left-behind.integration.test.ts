// SPDX-License-Identifier: Apache-2.0

import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Mailboxes } from "../src/runtime/mailboxes.js";
import { given, own, schedule, timer } from "./actions.js";
import { EngineUnderTest } from "./open-engine.js";

/** Counts the instances in memory of the engine that is opened next. */
function countMailboxes(): () => number {
  let opened: Mailboxes | undefined;
  const { settle } = Mailboxes.prototype;
  const spy = vi.spyOn(Mailboxes.prototype, "settle");
  onTestFinished(() => spy.mockRestore());
  spy.mockImplementation(function (this: Mailboxes, mailbox) {
    opened = this;
    settle.call(this, mailbox);
  });
  return () => opened?.count() ?? Number.NaN;
}

describe("an instance whose turn came to nothing", () => {
  test("is let go of when it is terminated before the turn is tried again", async () => {
    const inMemory = countMailboxes();
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [timer(0, 9_000_000)]);
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(2), [timer(0, 9_000_000)]);
    await under.engine.terminate("a");
    expect((await under.engine.get("a"))?.status).toBe("terminated");
    await under.pass(60_000);
    expect(inMemory()).toBe(0);
    await under.engine.close();
  });

  test.each(["terminated", "purged"])(
    "makes no new one of its id wait, once it is %s",
    async (how) => {
      const under = await EngineUnderTest.open();
      const worker = under.connect({});
      await under.engine.start({ workflow: "w", instanceId: "a" });
      await worker.completeTurn(await worker.turn(), [timer(0, 9_000_000)]);
      await under.engine.raiseEvent("a", "go");
      for (const attempt of [2, 3, 4]) {
        await worker.completeTurn(await worker.turn(attempt), [timer(0, 9_000_000)]);
        if (attempt < 4) under.clock.advance(30_000);
      }
      if (how === "purged") await under.engine.purge("a", { force: true });
      else await under.engine.terminate("a");
      await under.engine.start({ workflow: "w", instanceId: "a" });
      await worker.completeTurn(await worker.turn(5), [timer(0, 9_000_000)]);
      under.clock.advance(30_000);
      await under.engine.idle();
      expect(worker.turns).toHaveLength(5);
      await under.engine.close();
    },
  );

  test("is let go of when it is purged while its history is read", async () => {
    const inMemory = countMailboxes();
    const under = await EngineUnderTest.open();
    const worker = under.connect({ cache: "result" });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const soon = under.clock.now() + 5000;
    await worker.completeTurn(await worker.turn(), [timer(0, soon)]);
    worker.close();
    const gate = under.faults.hold("range");
    const other = under.connect({});
    await under.engine.raiseEvent("a", "go");
    await expect.poll(() => gate.waiting()).toBeGreaterThan(0);
    await under.engine.purge("a", { force: true });
    gate.release();
    await under.engine.idle();
    expect(other.turns).toEqual([]);
    expect(inMemory()).toBe(0);
    await under.engine.close();
  });
});

describe("an activity that its worker had no room for in the end", () => {
  test("is offered again to those who refused it, once that worker has gone for good", async () => {
    const under = await EngineUnderTest.open({ workerReturnMs: 5000 });
    const turns = under.connect({ activities: [] });
    const lacking = under.connect({ workflows: [], refuses: true });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const having = under.connect({ workflows: [], activities: ["x"], activityLimit: 1 });
    const actions = [0, 1].map((id) => given(schedule(id, "x"), own));
    await turns.completeTurn(await turns.turn(), actions);
    await having.activity();
    await expect.poll(() => lacking.activities).toHaveLength(2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(having.activities).toHaveLength(1);
    having.close();
    under.clock.advance(5000);
    // Nobody else will have it: the refusal is its result.
    await expect.poll(() => lacking.activities).toHaveLength(4);
    await turns.turn(2);
    await under.engine.close();
  });
});

describe("an activity that nobody wants any more", () => {
  test.each(["terminated", "purged"])(
    "does not wait for ever: its instance was %s",
    async (end) => {
      const under = await EngineUnderTest.open({ queueLimit: 1500 });
      const worker = under.connect({ activities: [] });
      let turns = 0;
      for (let count = 0; count < 1600; count += 1) {
        const { instanceId } = await under.engine.start({ workflow: "w" });
        turns += 1;
        await worker.completeTurn(await worker.turn(turns), [schedule(0, "x")]);
        if (end === "purged") {
          await under.engine.purge(instanceId, { force: true });
          continue;
        }
        await under.engine.terminate(instanceId);
        turns += 1;
        await worker.completeTurn(await worker.turn(turns), []);
      }
      const { instanceId } = await under.engine.start({ workflow: "w" });
      await worker.completeTurn(await worker.turn(turns + 1), [schedule(0, "x")]);
      const late = under.connect({ workflows: [] });
      await late.completeActivity(await late.activity());
      expect(late.activities).toMatchObject([{ instanceId }]);
      await under.engine.close();
    },
  );
});
