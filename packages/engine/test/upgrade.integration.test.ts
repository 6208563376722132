// SPDX-License-Identifier: Apache-2.0

import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { verifyFolder } from "../src/index.js";
import { buildIndexes } from "../src/store/index/index-build.js";
import { findIndexFaults } from "../src/store/index/index-check.js";
import { indexKinds } from "../src/store/index/index-key.js";
import { kindRange, partitionCount, partitions, rowKey } from "../src/store/key.js";
import { openLevelStore } from "../src/store/level-store.js";
import { openMemoryStore } from "../src/store/memory-store.js";
import { formatVersion, readSideFile, writeSideFile } from "../src/store/side-file.js";
import { del, mark, put, type Store } from "../src/store/store.js";
import { problemsOf } from "../src/testing/check-store.js";
import { FaultStore } from "../src/testing/fault-store.js";
import { complete } from "./actions.js";
import { dataFolder, filesIn, openOnDisk } from "./data-folder.js";
import { eventsOf, kinds, ScriptedWorker } from "./scripted-worker.js";

/** A folder that was written by a Pawl without indexes; it has 23 instances. */
async function oldFolder(format = 1): Promise<string> {
  const folder = await dataFolder();
  await cp(join(import.meta.dirname, "fixtures", `format-${format}`), folder, { recursive: true });
  return folder;
}

const formatOf = async (folder: string): Promise<number> =>
  JSON.parse(await readFile(join(folder, "pawl.json"), "utf8")).formatVersion;

async function entryCount(store: Store): Promise<number> {
  let count = 0;
  for (const partition of partitions) {
    for (const kind of indexKinds) count += (await store.range(kindRange(kind, partition))).length;
  }
  return count;
}

describe("a folder of format 1", () => {
  test("gets its indexes when it is opened, and says so in the log", async () => {
    const folder = await oldFolder();
    const log: string[] = [];
    const note = (_: unknown, message: string): void => void log.push(message);
    const engine = await openOnDisk(folder, { logger: { info: note, warn: note, error: note } });
    expect(log).toContain("the data folder is being upgraded to the present format");
    expect((await engine.list()).instances).toHaveLength(23);
    await engine.close();
    expect(await formatOf(folder)).toBe(formatVersion);
    const store = await openLevelStore(folder);
    expect(await problemsOf(store, 1_700_000_100_000)).toEqual([]);
    // Two of each instance, one more of the one that has ended, and three tags.
    expect(await entryCount(store)).toBe(23 * 2 + 1 + 3);
    await store.close();
  });

  test("is not upgraded a second time", async () => {
    const folder = await oldFolder();
    await (await openLevelStore(folder)).close();
    let told = 0;
    const store = await openLevelStore(folder, {
      onUpgrade: () => {
        told += 1;
      },
    });
    expect(told).toBe(0);
    await store.close();
  });

  test("is verified as it is", async () => {
    const folder = await oldFolder();
    const before = (await filesIn(folder)).get("pawl.json");
    const report = await verifyFolder(folder);
    expect(report).toMatchObject({ instances: 23, damaged: [], indexFaults: undefined });
    expect((await filesIn(folder)).get("pawl.json")).toEqual(before);
  });
});

describe.each([4, 5, 6])("a folder of format %i", (format) => {
  test("is taken as it is, and says the present format from then on", async () => {
    const folder = await dataFolder();
    await (await openLevelStore(folder)).close();
    const side = await readSideFile(folder);
    if (side === undefined) throw new Error("no side file");
    await writeSideFile(folder, { ...side, formatVersion: format });
    let told = 0;
    const onUpgrade = (): void => {
      told += 1;
    };
    await (await openLevelStore(folder, { onUpgrade })).close();
    expect(told).toBe(0);
    expect(await formatOf(folder)).toBe(7);
  });
});

describe("buildIndexes()", () => {
  test("comes to the same end after it was cut short at any write", async () => {
    const folder = await oldFolder();
    const old = await openLevelStore(folder, { upgrade: "no" });
    const rows = await old.range({ gte: Buffer.from([0]), lt: Buffer.from([0xff]) });
    await old.close();
    const puts = rows.map(([key, value]) => put(key, value));
    const whole = await FaultStore.over(openMemoryStore);
    await whole.behind.write(puts);
    await buildIndexes(await whole.open());
    const writes = whole.callCount("write");
    expect(writes).toBeGreaterThan(5);
    for (let cut = 1; cut <= writes; cut += 1) {
      const faults = await FaultStore.over(openMemoryStore);
      await faults.behind.write(puts);
      faults.failNext(cut, "error", ["write"]);
      await expect(buildIndexes(await faults.open())).rejects.toThrow("injected");
      await buildIndexes(await faults.open());
      expect(await findIndexFaults(faults.behind)).toEqual([]);
      await faults.close();
    }
    await whole.close();
  });
});

describe("findIndexFaults()", () => {
  test("names what is missing and what is stale", async () => {
    const store = await openLevelStore(await oldFolder());
    const { gte } = kindRange("status", 0);
    const { lt } = kindRange("status", partitionCount - 1);
    const entries = await store.range({ gte, lt });
    const [key] = entries.find(([found]) => found[2] === gte[2]) ?? [];
    if (key === undefined) throw new Error("no entry");
    await store.write([del(key)]);
    const [missing] = await findIndexFaults(store);
    expect(missing?.reason).toBe("no entry by status");
    const stale = Buffer.from(key);
    stale[8] = (stale[8] ?? 0) ^ 1;
    await store.write([mark(stale)]);
    const reasons = (await findIndexFaults(store)).map(({ reason }) => reason);
    expect(reasons).toEqual(["no entry by status", "a stale entry by status"]);
    await store.close();
  });
});

describe("a folder of format 2, whose values have no checksums", () => {
  test("reads as it was, and what is written from now on has checksums", async () => {
    const folder = await oldFolder(2);
    const engine = await openOnDisk(folder);
    expect((await engine.get("ended-1"))?.output).toBe("8");
    expect((await engine.executions("ended-1")).instances.map(({ output }) => output)).toEqual([
      "8",
      "4",
    ]);
    const worker = new ScriptedWorker(engine, { workflows: ["other"] });
    const first = await worker.turn();
    expect(kinds(eventsOf(first))).toEqual(["workflowStarted", "executionStarted", "eventRaised"]);
    await worker.completeTurn(first, [complete(0)]);
    await engine.close();
    expect(await formatOf(folder)).toBe(formatVersion);
    expect(await verifyFolder(folder)).toMatchObject({
      instances: 4,
      damaged: [],
      indexFaults: [],
    });
    const store = await openLevelStore(folder);
    for (const partition of partitions) {
      expect(await store.range(kindRange("retired", partition))).toEqual([]);
    }
    const marks = await Promise.all(
      [first.instanceId, "ended-1"].map(async (id) => (await store.get(rowKey(id)))?.[0]),
    );
    expect(marks).toEqual([0x07, 0x08]);
    await store.close();
  });
});
