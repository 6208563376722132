// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import type { StoreWrite } from "../src/store/store.js";
import { problemsOf } from "../src/testing/check-store.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";

/** The most keys that a chain of three activities may write and delete, beside commit marks. */
const chainBudget = 20;

describe("the indexes of an instance", () => {
  test("cost a chain of three activities few writes, in as many commits as before", async () => {
    const under = await EngineUnderTest.open({ commitWaitMs: 2 });
    const batches: (readonly StoreWrite[])[] = [];
    under.faults.onWritten = (batch) => batches.push(batch);
    under.connect({ flows, tasks });
    await under.engine.start({ workflow: "chain", instanceId: "a", input: "x" });
    await under.engine.waitForCompletion("a");
    await under.engine.idle();
    expect(batches.length).toBeLessThanOrEqual(4);
    expect(batches.flat().length).toBeLessThanOrEqual(chainBudget);
    await under.engine.close();
  });

  test("follow it through suspension, continuation by another execution, and purge", async () => {
    const under = await EngineUnderTest.open();
    const check = async (): Promise<void> =>
      expect(await problemsOf(under.faults.behind, under.clock.now())).toEqual([]);
    under.connect({ flows, tasks });
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "2", tags: { a: "1" } });
    await under.engine.idle();
    await check();
    under.clock.moveTo(under.clock.now() + 5_000);
    await under.engine.suspend("a");
    await under.engine.idle();
    await check();
    await under.engine.resume("a");
    await under.engine.terminate("a");
    await under.engine.idle();
    await check();
    under.clock.moveTo(under.clock.now() + 5_000);
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "2", tags: { b: "1" } });
    await under.engine.idle();
    await check();
    await under.engine.purge("a");
    expect(await under.faults.behind.range({ gte: Buffer.of(0), lt: Buffer.of(255) })).toEqual([]);
    await under.engine.close();
  });
});
