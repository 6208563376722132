// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { flows, tasks } from "../flows.js";
import { EngineUnderTest } from "../open-engine.js";

/** An engine with ended instances of these ids. */
async function openWith(ids: readonly string[]): Promise<EngineUnderTest> {
  const under = await EngineUnderTest.open();
  under.connect({ flows, tasks });
  for (const instanceId of ids) {
    await under.engine.start({ workflow: "chain", instanceId, input: "x" });
  }
  await under.engine.idle();
  return under;
}

async function idsOf({ engine }: EngineUnderTest): Promise<string[]> {
  return (await engine.list()).instances.map(({ instanceId }) => instanceId);
}

describe("a batch over ended instances", () => {
  test("spares one whose id was used again before its turn came", async () => {
    const under = await openWith(["a", "b"]);
    const { engine, faults } = under;
    const command = { action: "purge", filter: { workflow: "chain" }, force: true } as const;
    const { batchId } = await engine.startBatch(command);
    // What it has found is on its way to the disk.
    const gate = faults.hold("write");
    while (gate.waiting() === 0) await nextTick();
    const started = engine.start({ workflow: "none", instanceId: "a" });
    // Up to its place in the commit after that.
    await nextTick();
    gate.release();
    await started;
    const batch = await engine.waitForBatch(batchId);
    expect(batch).toMatchObject({ matchedCount: 2, doneCount: 2, failedCount: 0, purgedCount: 1 });
    expect(await idsOf(under)).toEqual(["a"]);
    expect(await engine.get("a")).toMatchObject({ workflow: "none", status: "pending" });
    await engine.close();
  });

  test("runs each again once, whatever write the crash comes before", async () => {
    const ids = ["a", "b", "c"];
    for (let cut = 1, isWhole = false; !isWhole; cut += 1) {
      const under = await openWith(ids);
      under.faults.failNext(cut, "cut", ["write"]);
      const filter = { workflow: "chain", createdBefore: under.clock.now() + 1 };
      const command = { action: "rerun", filter, batchId: "again", eventId: 0 } as const;
      const ended = under.engine.startBatch(command).then(() => under.engine.waitForBatch("again"));
      const settled = ended.then(() => under.engine.idle()).catch(() => {});
      let isOver = false;
      void settled.then(() => {
        isOver = true;
      });
      while (!isOver && !under.faults.isCut()) await nextTick();
      isWhole = !under.faults.isCut();
      const after = isWhole ? under : await under.crash();
      if (!isWhole) after.connect({ flows, tasks });
      await after.engine.startBatch(command);
      const batch = await after.engine.waitForBatch("again");
      expect(batch).toMatchObject({ matchedCount: 3, doneCount: 3, failedCount: 0 });
      await after.engine.idle();
      expect(await idsOf(after)).toEqual(ids.flatMap((id) => [id, `${id}:again`]));
      await after.engine.close();
      expect(cut).toBeLessThan(40);
    }
  });
});
