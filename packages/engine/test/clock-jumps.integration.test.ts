// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import type { EngineOptions } from "../src/options.js";
import { complete, schedule, timer, versionNotAvailable } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { tick } from "./manual-clock.js";
import { EngineUnderTest } from "./open-engine.js";
import type { Script, ScriptedWorker } from "./scripted-worker.js";

const year = 365 * 24 * 3600 * 1000;

/** The first turn of the delayed start "a" is with its worker. */
async function beginsDelayed(options: EngineOptions = {}, script: Script = {}) {
  const under = await EngineUnderTest.open(options);
  const worker = under.connect(script);
  const startAt = under.clock.now() + 5000;
  await under.engine.start({ workflow: "w", instanceId: "a", startAt });
  under.clock.moveTo(startAt);
  return { under, worker, startAt, turn: await worker.turn() };
}

/** The instance "a" ends with its worker's turn of this number. */
async function endsWith(under: EngineUnderTest, worker: ScriptedWorker, turns: number) {
  await worker.completeTurn(await worker.turn(turns), [complete(0)]);
  expect((await under.engine.waitForCompletion("a")).status).toBe("completed");
  await under.engine.close();
}

describe("a clock that is set", () => {
  test("forward makes what is due by then fire, each once", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    for (const [index, id] of ["a", "b", "c"].entries()) {
      await under.engine.start({ workflow: "w", instanceId: id });
      const turn = await worker.turn(index + 1);
      await worker.completeTurn(turn, [timer(0, 1_000_000 + 1000 * (index + 1))]);
    }
    under.clock.advance(year);
    await worker.turn(6);
    const fired = worker.turns
      .slice(3)
      .map(({ instanceId, events }) => [instanceId, events.at(-1)?.event.eventType.case]);
    expect(fired.sort()).toEqual(["a", "b", "c"].map((id) => [id, "timerFired"]));
    await under.engine.close();
  });

  test("back fires no timer before its instant comes again", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [timer(0, 1_000_500)]);
    under.clock.moveTo(1_000_400);
    under.clock.moveTo(900_000);
    await under.engine.idle();
    under.clock.moveTo(1_000_499);
    await under.engine.idle();
    expect(worker.turns).toHaveLength(1);
    under.clock.moveTo(1_000_500);
    await worker.turn(2);
    await under.engine.close();
  });

  test("back keeps timers of the past of the clock and of its future after a restart", async () => {
    const first = await EngineUnderTest.open();
    first.connect({ flows, tasks });
    const at = first.clock.now() + 5000;
    await first.engine.start({ workflow: "sleep", instanceId: "a", input: String(at) });
    await first.engine.waitForStart("a");
    first.clock.moveTo(1000);
    const second = await first.crash();
    second.connect({ flows, tasks });
    await second.runUntil(at - 1);
    expect((await second.engine.get("a"))?.status).toBe("running");
    await second.runUntil(at);
    expect((await second.engine.waitForCompletion("a")).status).toBe("completed");
    await second.engine.close();
  });

  test("back while a delayed start is read does not lose it", async () => {
    const under = await EngineUnderTest.open({ idleInstances: 0 });
    const worker = under.connect({});
    const startAt = under.clock.now() + 5000;
    await under.engine.start({ workflow: "w", instanceId: "a", startAt });
    await under.engine.idle();
    const gate = under.faults.hold("get");
    under.clock.moveTo(startAt);
    while (gate.waiting() === 0) await tick();
    under.clock.setBack(1000);
    gate.release();
    await under.engine.idle();
    expect(worker.turns).toHaveLength(0);
    under.clock.moveTo(startAt);
    await endsWith(under, worker, 1);
  });

  test("back does not hold up a turn that is to be tried again", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [schedule(0, "charge")]);
    await worker.completeActivity(await worker.activity(), { output: "1" });
    // The same action again: the turn is given up.
    await worker.completeTurn(await worker.turn(2), [schedule(0, "charge")]);
    under.clock.setBack(year);
    under.clock.advance(100);
    await worker.completeTurn(await worker.turn(3), [complete(1)]);
    expect((await under.engine.waitForCompletion("a")).status).toBe("completed");
    await under.engine.close();
  });

  test.each(["goes away", "gives it back"])(
    "back to before a delayed start does not lose its turn when its worker %s",
    async (what) => {
      const { under, worker, startAt, turn } = await beginsDelayed();
      under.clock.setBack(1000);
      if (what === "goes away") worker.session.close();
      else worker.session.returnTurn("a", turn.token);
      const next = what === "goes away" ? under.connect({}) : worker;
      await under.engine.idle();
      under.clock.moveTo(startAt);
      await endsWith(under, next, what === "goes away" ? 1 : 2);
    },
  );

  test.each(["lacks the workflow", "lacks its version"])(
    "back to before a delayed start does not lose its turn when its worker %s",
    async (what) => {
      const { under, worker, startAt, turn } = await beginsDelayed();
      const other = under.connect({});
      await tick();
      under.clock.setBack(1000);
      if (what === "lacks the workflow") await worker.refuseTurn(turn);
      else await worker.completeTurn(turn, [versionNotAvailable(0)]);
      await under.engine.idle();
      expect(other.turns).toHaveLength(0);
      under.clock.moveTo(startAt);
      await endsWith(under, other, 1);
    },
  );

  test("back to before a delayed start does not lose its turn when nobody else is left", async () => {
    const { under, worker, startAt, turn } = await beginsDelayed(
      { workerReturnMs: 0 },
      { workflows: ["w"] },
    );
    const busy = under.connect({ turnLimit: 1, workflows: ["w", "v"] });
    await under.engine.start({ workflow: "v", instanceId: "b" });
    await busy.turn();
    await worker.refuseTurn(turn);
    under.clock.setBack(1000);
    busy.close();
    await under.engine.idle();
    under.clock.moveTo(startAt);
    await endsWith(under, worker, 2);
  });

  test("back does not hold up a commit that waits for a turn", async () => {
    const under = await EngineUnderTest.open({ commitWaitMs: 5 });
    under.connect({});
    const started = under.engine.start({ workflow: "w", instanceId: "a" });
    while (under.clock.alarmCount() === 0) await tick();
    under.clock.setBack(year);
    under.clock.advance(5);
    await started;
    await under.engine.close();
  });

  test("back does not hold up the reopening of a failed store", async () => {
    const under = await EngineUnderTest.open();
    under.faults.failOpens(1);
    under.faults.failNext(1, "error", ["write"]);
    await expect(under.engine.start({ workflow: "w" })).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
    });
    while (under.clock.alarmCount() === 0) await tick();
    under.clock.setBack(year);
    under.clock.advance(100);
    await under.engine.idle();
    expect(under.engine.isReady()).toBe(true);
    await under.engine.close();
  });
});
