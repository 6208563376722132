// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { complete, schedule } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import type { ScriptedWorker } from "./scripted-worker.js";

/** Starts this many instances of a workflow, named by it. */
async function startMany(under: EngineUnderTest, workflow: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const instanceId = `${workflow}-${index}`;
    await under.engine.start({ workflow, instanceId, input: "x" });
  }
}

/** Names of what a worker has and has not answered. */
function openNames(worker: ScriptedWorker): string[] {
  return [...worker.open].map((item) => (item.kind === "turn" ? item.workflow : item.name));
}

/** Answers everything, one item at a time; the most that were open at once, by name and in all. */
async function drain(under: EngineUnderTest, worker: ScriptedWorker): Promise<Map<string, number>> {
  const most = new Map<string, number>();
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    const names = openNames(worker);
    const [item] = worker.open;
    if (item === undefined) break;
    const counts = new Map<string, number>([["all", names.length]]);
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
    for (const [name, count] of counts) most.set(name, Math.max(most.get(name) ?? 0, count));
    worker.answer(item);
  }
  await under.engine.idle();
  return most;
}

function holding(under: EngineUnderTest): ScriptedWorker {
  const worker = under.connect({ flows: { ...flows, other: flows.echo }, tasks });
  worker.isHolding = true;
  return worker;
}

describe("a limit on turns at once", () => {
  test("holds over all workflows and workers, and all instances end", async () => {
    const under = await EngineUnderTest.open({ concurrency: { turns: 2 } });
    const worker = holding(under);
    under.connect({ workflows: ["nobody"] });
    await startMany(under, "echo", 5);
    await startMany(under, "other", 5);
    expect((await drain(under, worker)).get("all")).toBe(2);
    const { instances } = await under.engine.list({ statuses: ["completed"] });
    expect(instances).toHaveLength(10);
    await under.engine.close();
  });

  test("of one workflow leaves the others alone", async () => {
    const under = await EngineUnderTest.open({ concurrency: { turnsOf: { echo: 1 } } });
    const worker = holding(under);
    await startMany(under, "echo", 3);
    await startMany(under, "other", 3);
    const most = await drain(under, worker);
    expect([most.get("echo"), most.get("other")]).toEqual([1, 3]);
    await under.engine.close();
  });

  test("gives the names their turns fairly", async () => {
    const under = await EngineUnderTest.open({ concurrency: { turns: 1 } });
    const worker = holding(under);
    await startMany(under, "echo", 10);
    await startMany(under, "other", 2);
    await drain(under, worker);
    const order = worker.turns.map(({ workflow }) => workflow);
    expect(order.lastIndexOf("other")).toBeLessThan(6);
    await under.engine.close();
  });

  test("is free again when a worker goes, and when a turn is returned, given up or purged", async () => {
    const under = await EngineUnderTest.open({ concurrency: { turns: 1 } });
    const first = holding(under);
    await startMany(under, "echo", 3);
    const turn = await first.turn();
    first.session.returnTurn(turn.instanceId, turn.token);
    await first.turn(2);
    await under.engine.purge(first.lastTurn().instanceId, { force: true });
    await first.turn(3);
    first.close();
    const second = under.connect({ flows });
    await under.engine.idle();
    expect(second.turns).toHaveLength(2);
    await under.engine.close();
  });

  test("is not used up by items that are stale", async () => {
    const under = await EngineUnderTest.open({ concurrency: { turns: 1 } });
    await startMany(under, "echo", 2);
    await under.engine.terminate("echo-0");
    const worker = under.connect({ flows });
    expect((await under.engine.waitForCompletion("echo-1")).status).toBe("completed");
    expect(worker.turns).toHaveLength(1);
    await under.engine.close();
  });
});

describe("a limit on activities at once", () => {
  const input = Array.from({ length: 8 }, (_, index) => `${index}`).join(",");

  test.each([
    ["in all", { activities: 3 }],
    ["by name", { activitiesOf: { double: 3 } }],
    ["in all and by name, the lower one", { activities: 5, activitiesOf: { double: 3 } }],
  ])("holds %s, over all workers", async (_, concurrency) => {
    const under = await EngineUnderTest.open({ concurrency });
    under.connect({ flows, activities: [] });
    const worker = under.connect({ workflows: [], tasks });
    worker.isHolding = true;
    await under.engine.start({ workflow: "fanOut", instanceId: "a", input });
    await worker.activity(3);
    expect((await drain(under, worker)).get("double")).toBe(3);
    expect((await under.engine.waitForCompletion("a")).status).toBe("completed");
    await under.engine.close();
  });

  test("is free again when a worker goes: its activities go to another", async () => {
    const under = await EngineUnderTest.open({ concurrency: { activities: 2 } });
    under.connect({ flows, activities: [] });
    const first = under.connect({ workflows: [] });
    await under.engine.start({ workflow: "fanOut", instanceId: "a", input });
    await first.activity(2);
    first.close();
    const second = under.connect({ workflows: [], tasks });
    expect((await under.engine.waitForCompletion("a")).status).toBe("completed");
    expect(second.activities).toHaveLength(8);
    await under.engine.close();
  });

  test("counts one of a purged instance until its worker answers", async () => {
    const under = await EngineUnderTest.open({ concurrency: { activities: 1 } });
    const worker = under.connect({});
    for (const [index, instanceId] of ["a", "b"].entries()) {
      await under.engine.start({ workflow: "w", instanceId });
      await worker.completeTurn(await worker.turn(index + 1), [schedule(0, "double")]);
    }
    const running = await worker.activity();
    await under.engine.purge("a", { force: true });
    await new Promise((resolve) => setImmediate(resolve));
    expect(worker.activities).toHaveLength(1);
    await worker.completeActivity(running);
    expect((await worker.activity(2)).instanceId).toBe("b");
    await under.engine.close();
  });
});

describe("limits that are others after a restart", () => {
  test("lose nothing and leave nothing stuck", async () => {
    const under = await EngineUnderTest.open({ concurrency: { turns: 1, activities: 1 } });
    const worker = under.connect({});
    await startMany(under, "chain", 4);
    await worker.completeTurn(await worker.turn(), [schedule(0, "double", "x")]);
    const narrow = await under.crash({ concurrency: { turnsOf: { chain: 1 } } });
    narrow.connect({ flows, tasks });
    await narrow.engine.idle();
    await startMany(narrow, "echo", 2);
    const wide = await narrow.crash();
    wide.connect({ flows, tasks });
    await wide.engine.idle();
    const { instances } = await wide.engine.list({ statuses: ["completed"] });
    expect(instances).toHaveLength(6);
    await wide.engine.close();
  });

  test("start over when the store was opened again", async () => {
    const under = await EngineUnderTest.open({ concurrency: { turns: 1 } });
    const worker = under.connect({});
    await startMany(under, "echo", 2);
    await worker.turn();
    const isReady = new Promise<void>((resolve) => {
      under.engine.onReadyChange((ready) => ready && resolve());
    });
    under.faults.failNext(1, "error", ["write"]);
    await under.engine.start({ workflow: "other" }).catch(() => {});
    while (under.engine.isReady()) await new Promise((resolve) => setImmediate(resolve));
    under.clock.advance(10_000);
    await isReady;
    const turn = await worker.turn(2);
    await worker.completeTurn(turn, [complete(0)]);
    await worker.turn(3);
    await under.engine.close();
  });
});
