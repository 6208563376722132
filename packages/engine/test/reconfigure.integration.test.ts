// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";

const hour = 3_600_000;

async function runEcho(under: EngineUnderTest, instanceId: string): Promise<void> {
  await under.engine.start({ workflow: "echo", instanceId, input: "x" });
  await under.engine.waitForCompletion(instanceId);
  await under.engine.idle();
}

describe("reconfigure()", () => {
  test("hands out what a raised limit no longer holds back", async () => {
    const under = await EngineUnderTest.open({ concurrency: { turns: 1 } });
    const worker = under.connect({ flows, tasks });
    worker.isHolding = true;
    for (const instanceId of ["a", "b", "c"]) {
      await under.engine.start({ workflow: "echo", instanceId, input: "x" });
    }
    expect(worker.open.size).toBe(1);
    under.engine.reconfigure({ concurrency: { turns: 2 } });
    expect(worker.open.size).toBe(2);
    under.engine.reconfigure({});
    expect(worker.open.size).toBe(3);
    await under.engine.close();
  });

  test("holds back what comes after a lowered limit, and takes nothing from workers", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows, tasks });
    worker.isHolding = true;
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "x" });
    await under.engine.start({ workflow: "echo", instanceId: "b", input: "x" });
    under.engine.reconfigure({ concurrency: { turnsOf: { echo: 1 } } });
    await under.engine.start({ workflow: "echo", instanceId: "c", input: "x" });
    expect(worker.open.size).toBe(2);
    const [first, second] = [...worker.open];
    if (first === undefined || second === undefined) throw new Error("two turns are open");
    worker.answer(first);
    await under.engine.waitForCompletion("a");
    // One is still out, which is all that the limit allows.
    expect(worker.open.size).toBe(1);
    worker.answer(second);
    await under.engine.waitForCompletion("b");
    expect([...worker.open].map((item) => item.instanceId)).toEqual(["c"]);
    await under.engine.close();
  });

  test("deletes what ended before a retention time was set", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, tasks });
    await runEcho(under, "old");
    await under.pass(2 * hour);
    await runEcho(under, "new");
    under.engine.reconfigure({ retention: { anyMs: hour } });
    await under.pass(0);
    expect(await under.ids()).toEqual(["new"]);
    await under.engine.close();
  });

  test("saves what a longer time keeps, and forgets the times of before", async () => {
    const under = await EngineUnderTest.open({ retention: { anyMs: hour } });
    under.connect({ flows, tasks });
    await runEcho(under, "a");
    under.engine.reconfigure({ retention: { anyMs: 3 * hour } });
    await under.pass(2 * hour);
    expect(await under.ids()).toEqual(["a"]);
    await under.pass(2 * hour);
    expect(await under.ids()).toEqual([]);
    under.engine.reconfigure({});
    await runEcho(under, "b");
    await under.pass(100 * hour);
    expect(await under.ids()).toEqual(["b"]);
    await under.engine.close();
  });

  test("holds after the store was opened again", async () => {
    const under = await EngineUnderTest.open({ retention: { anyMs: hour } });
    under.connect({ flows, tasks });
    under.faults.failNext(1, "error", ["write"]);
    await expect(under.engine.start({ workflow: "echo", instanceId: "a" })).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
    });
    under.engine.reconfigure({ retention: { anyMs: 5 * hour } });
    await under.pass(1000);
    expect(under.engine.isReady()).toBe(true);
    await runEcho(under, "b");
    await under.pass(4 * hour);
    expect(await under.ids()).toEqual(["b"]);
    await under.engine.close();
  });
});
