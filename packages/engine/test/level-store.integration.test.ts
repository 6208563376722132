// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Level } from "level";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { openLevelStore } from "../src/store/level-store.js";
import { put, type StoreWrite } from "../src/store/store.js";
import { problemsOf } from "../src/testing/check-store.js";
import { storeSuite } from "../src/testing/store.suite.js";
import { complete, schedule, timer } from "./actions.js";
import { dataFolder, openOnDisk } from "./data-folder.js";
import { flows, tasks } from "./flows.js";
import { ManualClock } from "./manual-clock.js";
import { ScriptedWorker } from "./scripted-worker.js";

describe("level store", () =>
  storeSuite(async () => openLevelStore(await dataFolder()), { describe, test }));

const putting = (value: number): StoreWrite[] => [
  put(Uint8Array.of(0, 0, 0x7a), Uint8Array.of(value)),
];

describe("level store", () => {
  test("keeps what was written over a close", async () => {
    const dataDir = await dataFolder();
    const store = await openLevelStore(dataDir);
    await store.write(putting(7));
    await store.close();
    const again = await openLevelStore(dataDir);
    const value = await again.get(Uint8Array.of(0, 0, 0x7a));
    expect([...(value ?? [])]).toEqual([7]);
    await again.close();
  });

  test("takes no write after one that failed, though the database would, until it is opened again", async () => {
    const dataDir = await dataFolder();
    const store = await openLevelStore(dataDir);
    const { batch } = Level.prototype;
    const spy = vi.spyOn(Level.prototype, "batch").mockImplementationOnce(function (this: Level) {
      const chain = batch.call(this);
      chain.write = () => Promise.reject(new Error("IO error: No space left on device"));
      return chain;
    });
    onTestFinished(() => spy.mockRestore());
    const unavailable = { code: "STORE_UNAVAILABLE" };
    await expect(store.write(putting(1))).rejects.toMatchObject(unavailable);
    await expect(store.write(putting(2))).rejects.toMatchObject(unavailable);
    expect(spy).toHaveBeenCalledTimes(1);
    await store.close();
    const again = await openLevelStore(dataDir);
    await again.write(putting(3));
    await again.close();
  });

  test("syncs every batch", async () => {
    const store = await openLevelStore(await dataFolder());
    const { batch } = Level.prototype;
    const synced: (boolean | undefined)[] = [];
    const spy = vi.spyOn(Level.prototype, "batch").mockImplementation(function (this: Level) {
      const chain = batch.call(this);
      const { write } = chain;
      vi.spyOn(chain, "write").mockImplementation((options?: { readonly sync?: boolean }) => {
        synced.push(options?.sync);
        return write.call(chain, options ?? {});
      });
      return chain;
    });
    onTestFinished(() => spy.mockRestore());
    for (const value of [1, 2, 3]) await store.write(putting(value));
    await store.close();
    expect(synced).toEqual([true, true, true]);
  });

  test("keeps a bounded number of commit marks, and finds them whole at the next open", async () => {
    const dataDir = await dataFolder();
    const store = await openLevelStore(dataDir);
    for (let round = 0; round < 5200; round += 100) {
      for (let value = 0; value < 100; value += 1) await store.write(putting(value));
    }
    const marks = await store.range({
      gte: Uint8Array.of(0xff, 0xff),
      lt: Uint8Array.of(0xff, 0xff, 0xff),
    });
    expect(marks.length).toBeLessThanOrEqual(4096 + 512);
    expect(marks.length).toBeGreaterThanOrEqual(4096);
    await store.close();
    await (await openLevelStore(dataDir)).close();
  });

  test("notes the newest commit beside the database within a second", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const dataDir = await dataFolder();
      const store = await openLevelStore(dataDir);
      const commit = async (): Promise<number> =>
        JSON.parse(await readFile(join(dataDir, "pawl.json"), "utf8")).commit;
      for (let value = 0; value < 5; value += 1) await store.write(putting(value));
      expect(await commit()).toBe(0);
      await vi.advanceTimersByTimeAsync(1000);
      await vi.waitUntil(async () => (await commit()) === 5, 20_000);
      await store.write(putting(9));
      await store.close();
      expect(await commit()).toBe(6);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("an engine on disk", () => {
  test("goes on after a restart where it was", async () => {
    const dataDir = await dataFolder();
    const clock = new ManualClock();
    const before = await openOnDisk(dataDir, { clock });
    const worker = new ScriptedWorker(before, { workflows: ["w"] });
    new ScriptedWorker(before, { workflows: Object.keys(flows), activities: [], flows });
    await before.start({ workflow: "w", instanceId: "active" });
    await worker.completeTurn(await worker.turn(), [schedule(0, "double", "x")]);
    await worker.activity();
    await before.start({ workflow: "sleep", instanceId: "asleep", input: "1005000" });
    await before.start({ workflow: "parent", instanceId: "parent", input: "gather child 1" });
    await before.start({ workflow: "gather", instanceId: "waiting", input: "2" });
    await before.raiseEvent("waiting", "go", "1");
    await before.start({ workflow: "unknown", instanceId: "pending" });
    await before.start({ workflow: "echo", instanceId: "delayed", startAt: 1_009_000 });
    await before.start({ workflow: "echo", instanceId: "ended", input: "x" });
    await before.waitForCompletion("ended");
    await before.waitForStart("child");
    await before.close();

    const after = await openOnDisk(dataDir, { clock });
    const again = new ScriptedWorker(after, { workflows: ["w"], tasks });
    new ScriptedWorker(after, { workflows: Object.keys(flows), activities: [], flows });
    await again.activity();
    await again.completeTurn(await again.turn(), [complete(1, "well")]);
    clock.moveTo(1_005_000);
    await after.raiseEvent("waiting", "go", "2");
    await after.raiseEvent("child", "go", "hello");
    clock.moveTo(1_009_000);
    const outputs = new Map<string, string | undefined>();
    for (const id of ["active", "asleep", "parent", "waiting", "delayed", "ended"]) {
      outputs.set(id, (await after.waitForCompletion(id)).output);
    }
    expect(Object.fromEntries(outputs)).toEqual({
      active: "well",
      asleep: expect.stringMatching(/^woke/),
      parent: "child said hello",
      waiting: "1,2",
      delayed: "",
      ended: "x",
    });
    expect((await after.get("pending"))?.status).toBe("pending");
    await after.close();
    const store = await openLevelStore(dataDir);
    expect(await problemsOf(store, clock.now())).toEqual([]);
    await store.close();
  });

  test("takes the same order of events up after a restart", async () => {
    const dataDir = await dataFolder();
    let engine = await openOnDisk(dataDir);
    await engine.start({ workflow: "gather", instanceId: "a", input: "30" });
    for (let index = 0; index < 30; index += 1) {
      await engine.raiseEvent("a", "go", `${index}`);
      if (index % 10 !== 9) continue;
      await engine.close();
      engine = await openOnDisk(dataDir);
    }
    new ScriptedWorker(engine, { flows });
    const { output } = await engine.waitForCompletion("a");
    expect(output).toBe(Array.from({ length: 30 }, (_, index) => index).join(","));
  });

  test("does not run an activity again whose result was taken", async () => {
    const dataDir = await dataFolder();
    const before = await openOnDisk(dataDir);
    const worker = new ScriptedWorker(before, { activities: ["double"] });
    await before.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [
      schedule(0, "double"),
      schedule(1, "double"),
      timer(2, 9_000_000),
    ]);
    const second = await worker.activity(2);
    await worker.turn();
    // The result is in the inbox, or in history, but the turn after it has no answer.
    await worker.completeActivity(second, { output: "1" });
    await before.close();
    const after = await openOnDisk(dataDir);
    const again = new ScriptedWorker(after, { workflows: [] });
    expect((await again.activity()).taskId).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(again.activities).toHaveLength(1);
  });
});
