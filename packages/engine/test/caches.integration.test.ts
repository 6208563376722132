// SPDX-License-Identifier: Apache-2.0

import type { TurnItem } from "@pawl/protocol/port";
import { describe, expect, test } from "vitest";
import { complete, continueWith, schedule, timer } from "./actions.js";
import { EngineUnderTest } from "./open-engine.js";
import { eventsOf, kinds, pastOf, type Script, type ScriptedWorker } from "./scripted-worker.js";

/** An instance whose first turn is done by a worker of this kind. */
async function open(script: Script): Promise<[EngineUnderTest, ScriptedWorker]> {
  const under = await EngineUnderTest.open();
  const worker = under.connect(script);
  await under.engine.start({ workflow: "w", instanceId: "a" });
  await worker.completeTurn(await worker.turn(), [schedule(0, "never"), timer(1, 1_009_000)]);
  return [under, worker];
}

/** An instance whose past a worker keeps that is at work on another one; a second worker has the next turn. */
async function openElsewhere(): Promise<{
  readonly under: EngineUnderTest;
  readonly first: ScriptedWorker;
  readonly busy: TurnItem;
  readonly second: ScriptedWorker;
}> {
  const under = await EngineUnderTest.open();
  const first = under.connect({ cache: "past", turnLimit: 1 });
  await under.engine.start({ workflow: "w", instanceId: "a" });
  await first.completeTurn(await first.turn(), [timer(0, 1_009_000)]);
  await under.engine.raiseEvent("a", "go");
  await first.completeTurn(await first.turn(2), []);
  await under.engine.start({ workflow: "w", instanceId: "b" });
  const busy = await first.turn(3);
  const second = under.connect({ cache: "past" });
  await under.engine.raiseEvent("a", "go");
  return { under, first, busy, second };
}

/** Cached and past counts, and how many past events were sent. */
const shape = (item: TurnItem): [cached: number, past: number, sent: number] => [
  item.cachedEventCount,
  item.pastEventCount,
  pastOf(item).length,
];

describe('a worker without a cache ("none")', () => {
  test("is sent the whole history each time", async () => {
    const [under, worker] = await open({});
    for (let round = 2; round < 6; round += 1) {
      await under.engine.raiseEvent("a", "go");
      const turn = await worker.turn(round);
      const count = 4 + (round - 2) * 2;
      expect(shape(turn)).toEqual([0, count, count]);
      expect(kinds(eventsOf(turn))).toEqual(["workflowStarted", "eventRaised"]);
      await worker.completeTurn(turn, []);
    }
    await under.engine.close();
  });
});

describe('a worker that keeps the past ("past")', () => {
  test("is sent what came after the past of its last turn", async () => {
    const [under, worker] = await open({ cache: "past" });
    await under.engine.raiseEvent("a", "go");
    const second = await worker.turn(2);
    expect(shape(second)).toEqual([0, 4, 4]);
    await worker.completeTurn(second, []);
    await under.engine.raiseEvent("a", "go");
    const third = await worker.turn(3);
    expect(shape(third)).toEqual([4, 6, 2]);
    expect(kinds(pastOf(third))).toEqual(["workflowStarted", "eventRaised"]);
    await worker.completeTurn(third, []);
    await under.engine.raiseEvent("a", "go");
    expect(shape(await worker.turn(4))).toEqual([6, 8, 2]);
    await under.engine.close();
  });

  test("is sent all of it again after it evicted the instance", async () => {
    const [under, worker] = await open({ cache: "past" });
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(2), []);
    worker.session.evict(["a", "nobody"]);
    await under.engine.raiseEvent("a", "go");
    expect(shape(await worker.turn(3))).toEqual([0, 6, 6]);
    await under.engine.close();
  });

  test("is sent what other workers added meanwhile", async () => {
    const { under, first, busy, second } = await openElsewhere();
    const foreign = await second.turn();
    expect(shape(foreign)).toEqual([0, 5, 5]);
    await second.completeTurn(foreign, []);
    second.close();
    await first.completeTurn(busy, [complete(0)]);
    await under.engine.raiseEvent("a", "go");
    expect(shape(await first.turn(4))).toEqual([3, 7, 4]);
    await under.engine.close();
  });
});

test("what a worker keeps of an earlier execution is not taken for the present one's", async () => {
  const { under, first, busy, second } = await openElsewhere();
  await second.completeTurn(await second.turn(), [continueWith(1)]);
  await second.completeTurn(await second.turn(2), [timer(0, 1_009_000)]);
  second.close();
  await first.completeTurn(busy, [complete(0)]);
  await under.engine.raiseEvent("a", "go");
  expect(shape(await first.turn(4))).toEqual([0, 3, 3]);
  await under.engine.close();
});

test("what a worker keeps of an instance is given up when that ends at another one", async () => {
  const { under, first, busy, second } = await openElsewhere();
  await second.completeTurn(await second.turn(), [complete(1)]);
  await first.completeTurn(busy, [complete(0)]);
  await under.engine.idle();
  expect((await under.engine.workers()).map(({ cachedCount }) => cachedCount)).toEqual([0, 0]);
  expect(first.released).toEqual(["a"]);
  expect(second.released).toEqual([]);
  await under.engine.close();
});

describe('a worker that keeps instances ("result")', () => {
  test("is sent only new events", async () => {
    const [under, worker] = await open({ cache: "result" });
    for (let round = 2; round < 6; round += 1) {
      await under.engine.raiseEvent("a", "go");
      const turn = await worker.turn(round);
      const count = 4 + (round - 2) * 2;
      expect(shape(turn)).toEqual([count, count, 0]);
      await worker.completeTurn(turn, []);
    }
    await under.engine.close();
  });

  test("is sent only new events when the next turn follows at once", async () => {
    const [under, worker] = await open({ cache: "result" });
    for (let round = 2; round < 6; round += 1) {
      await under.engine.raiseEvent("a", "go");
      const turn = await worker.turn(round);
      // The next event is there before the answer.
      await under.engine.raiseEvent("a", "go");
      expect(turn.past).toEqual([]);
      expect(turn.cachedEventCount).toBe(turn.pastEventCount);
      await worker.completeTurn(turn, []);
      await worker.completeTurn(await worker.turn(round + 1), []);
      round += 1;
    }
    for (const turn of worker.turns.slice(1)) {
      expect(turn.cachedEventCount).toBe(turn.pastEventCount);
      expect(turn.past).toEqual([]);
    }
    await under.engine.close();
  });

  test("is sent the whole history when it returns the turn", async () => {
    const [under, worker] = await open({ cache: "result" });
    await under.engine.raiseEvent("a", "go");
    const missed = await worker.turn(2);
    worker.session.returnTurn("a", "forged");
    worker.session.returnTurn("a", missed.token);
    const whole = await worker.turn(3);
    expect(shape(whole)).toEqual([0, 4, 4]);
    expect(whole.token).not.toBe(missed.token);
    expect(kinds(eventsOf(whole))).toEqual(kinds(eventsOf(missed)));
    await worker.completeTurn(missed, [complete(7)]);
    expect((await under.engine.get("a"))?.status).toBe("running");
    await under.engine.close();
  });

  test("is sent the whole history after it evicted the instance", async () => {
    const [under, worker] = await open({ cache: "result" });
    worker.session.evict(["a"]);
    await under.engine.raiseEvent("a", "go");
    expect(shape(await worker.turn(2))).toEqual([0, 4, 4]);
    await under.engine.close();
  });

  test("is sent the whole history when another worker ran a turn in between", async () => {
    const under = await EngineUnderTest.open();
    const first = under.connect({ cache: "result", turnLimit: 1 });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await first.completeTurn(await first.turn(), [timer(0, 1_009_000)]);
    await under.engine.start({ workflow: "w", instanceId: "b" });
    const busy = await first.turn(2);
    const second = under.connect({ cache: "result" });
    await under.engine.raiseEvent("a", "go");
    await second.completeTurn(await second.turn(), []);
    second.close();
    await first.completeTurn(busy, [complete(0)]);
    await under.engine.raiseEvent("a", "go");
    // It holds the instance as its own last turn left it, and cannot take a part of the past.
    expect(shape(await first.turn(3))).toEqual([0, 5, 5]);
    await under.engine.close();
  });

  test("is sent a new execution from its beginning", async () => {
    const [under, worker] = await open({ cache: "result" });
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(2), [continueWith(2)]);
    const next = await worker.turn(3);
    expect(shape(next)).toEqual([0, 0, 0]);
    await worker.completeTurn(next, [timer(0, 1_009_000)]);
    await under.engine.raiseEvent("a", "go");
    expect(shape(await worker.turn(4))).toEqual([3, 3, 0]);
    await under.engine.close();
  });

  test("is told when an instance is purged", async () => {
    const [under, worker] = await open({ cache: "result" });
    await under.engine.purge("a", { force: true });
    expect(worker.released).toEqual(["a"]);
    await under.engine.close();
  });
});

describe("history in memory", () => {
  test("is read again when others took its place", async () => {
    const under = await EngineUnderTest.open({ historyCacheBytes: 100 });
    const worker = under.connect({});
    for (const instanceId of ["a", "b", "c"]) {
      await under.engine.start({ workflow: "w", instanceId, input: "x".repeat(200) });
    }
    for (const turn of await turnsOf(worker, 3))
      await worker.completeTurn(turn, [timer(0, 1_009_000)]);
    for (const instanceId of ["a", "b", "c"]) await under.engine.raiseEvent(instanceId, "go");
    for (const turn of (await turnsOf(worker, 6)).slice(3)) {
      expect(shape(turn)).toEqual([0, 3, 3]);
      await worker.completeTurn(turn, [complete(1)]);
    }
    expect((await under.engine.list({ statuses: ["completed"] })).instances).toHaveLength(3);
    await under.engine.close();
  });

  test("is read again for a worker that lost the instance", async () => {
    const [under, worker] = await open({ cache: "result" });
    worker.close();
    const other = under.connect({});
    await under.engine.raiseEvent("a", "go");
    expect(shape(await other.turn())).toEqual([0, 4, 4]);
    await under.engine.close();
  });

  test("is tried again later when it cannot be read", async () => {
    const [under, worker] = await open({ cache: "result" });
    worker.close();
    const other = under.connect({ activities: [] });
    under.faults.failNext(1, "error", ["range"]);
    await under.engine.raiseEvent("a", "go");
    await under.engine.idle();
    expect(other.turns).toEqual([]);
    under.clock.advance(100);
    expect(shape(await other.turn())).toEqual([0, 4, 4]);
    await under.engine.close();
  });
});

async function turnsOf(worker: ScriptedWorker, count: number): Promise<TurnItem[]> {
  await worker.turn(count);
  return worker.turns;
}
