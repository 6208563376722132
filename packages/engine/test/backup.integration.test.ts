// SPDX-License-Identifier: Apache-2.0

import { rmSync, writeFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Engine } from "../src/engine.js";
import {
  type BackupPiece,
  EngineError,
  makeDataFolder,
  openEngine,
  restoreFolder,
  verifyFolder,
  writeBackup,
} from "../src/index.js";
import { inboxKey } from "../src/store/key.js";
import { writeStore } from "../src/store/level-copy.js";
import { openLevelStore } from "../src/store/level-store.js";
import { del } from "../src/store/store.js";
import { dataFolder, filesIn, filledFolder, openOnDisk, watchSyncs } from "./data-folder.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import { ScriptedWorker } from "./scripted-worker.js";

/** An engine with instances in every state that a worker leaves them in. */
async function busyEngine(dataDir: string): Promise<Engine> {
  const engine = await openOnDisk(dataDir);
  new ScriptedWorker(engine, { workflows: Object.keys(flows), flows, tasks });
  for (let index = 0; index < 40; index += 1) {
    await engine.start({ workflow: "chain", instanceId: `ended-${index}`, input: "x" });
    await engine.waitForCompletion(`ended-${index}`);
  }
  await engine.start({ workflow: "gather", instanceId: "waiting", input: "2" });
  await engine.raiseEvent("waiting", "go", "1");
  await engine.start({ workflow: "sleep", instanceId: "asleep", input: "1005000" });
  await engine.start({ workflow: "unknown", instanceId: "pending", tags: { colour: "red" } });
  await engine.idle();
  return engine;
}

async function storeIdOf(dataDir: string): Promise<string> {
  return JSON.parse(await readFile(join(dataDir, "pawl.json"), "utf8")).storeId;
}

/** All instances with their histories, as text. */
async function contentOf(engine: Engine): Promise<string[]> {
  const { instances } = await engine.list({ pageSize: 1000, payloads: true });
  const histories = await Promise.all(
    instances.map(async ({ instanceId }) => (await engine.history(instanceId)).length),
  );
  return instances.map((instance, index) => JSON.stringify([instance, histories[index]])).sort();
}

describe("a backup of a running engine", () => {
  test("opens as a data folder with everything in it, and work goes on there", async () => {
    const dataDir = await dataFolder();
    const engine = await busyEngine(dataDir);
    const copy = await dataFolder();
    const report = await writeBackup(copy, engine.backup());
    expect(report).toMatchObject({ instances: 43, damaged: [], indexFaults: [] });
    expect(await readdir(dirname(copy))).toEqual(["data"]);
    const before = await contentOf(engine);
    const opened = await openOnDisk(copy);
    expect(await contentOf(opened)).toEqual(before);
    new ScriptedWorker(opened, { workflows: Object.keys(flows), flows, tasks });
    await opened.raiseEvent("waiting", "go", "2");
    expect((await opened.waitForCompletion("waiting")).output).toBe("1,2");
    expect(await storeIdOf(copy)).not.toBe(await storeIdOf(dataDir));
  });

  test("is of one moment, though writes go on", async () => {
    const engine = await openOnDisk(await dataFolder());
    const ids = Array.from({ length: 400 }, (_, index) => `${index}`);
    await Promise.all(ids.map((id) => engine.start({ workflow: "w", instanceId: `b${id}` })));
    const seen: number[] = [];
    async function* amidWrites(): AsyncGenerator<BackupPiece> {
      for await (const piece of engine.backup()) {
        seen.push(piece.share);
        yield piece;
        if (seen.length > 1) continue;
        await Promise.all(ids.map((id) => engine.start({ workflow: "w", instanceId: `a${id}` })));
        await Promise.all(ids.map((id) => engine.terminate(`b${id}`)));
      }
    }
    const copy = await dataFolder();
    const report = await writeBackup(copy, amidWrites());
    expect(report).toMatchObject({ instances: 400, damaged: [], indexFaults: [] });
    expect(seen.length).toBeGreaterThan(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    const { instances } = await (await openOnDisk(copy)).list({ pageSize: 1000 });
    expect(instances.every(({ status }) => status === "pending")).toBe(true);
    expect(instances.every(({ instanceId }) => instanceId.startsWith("b"))).toBe(true);
  });

  test("is on disk as soon as it is written, with all its files", async () => {
    const engine = await busyEngine(await dataFolder());
    const unsynced = await watchSyncs();
    const copy = await dataFolder();
    await writeStore(copy, engine.backup());
    expect(unsynced(join(copy, "db"))).toEqual([]);
    expect(unsynced(copy)).toEqual([]);
  });

  test("that ends early leaves nothing", async () => {
    const copy = await dataFolder();
    const engine = await busyEngine(await dataFolder());
    async function* cut(): AsyncGenerator<BackupPiece> {
      for await (const piece of engine.backup()) {
        yield piece;
        throw new EngineError("STORE_UNAVAILABLE", "the connection is gone");
      }
    }
    await expect(writeBackup(copy, cut())).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await readdir(dirname(copy))).toEqual([]);
  });

  test("does not take the place of anything", async () => {
    const copy = await filledFolder();
    const before = await filesIn(copy);
    const engine = await openOnDisk(await dataFolder());
    await expect(writeBackup(copy, engine.backup())).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(await filesIn(copy)).toEqual(before);
  });

  test("has a folder, until it is whole, that is not served and not restored", async () => {
    const target = await dataFolder();
    const refusal = { code: "INVALID_ARGUMENT", message: expect.stringContaining("delete it") };
    const refused = async (folder: string): Promise<void> => {
      await expect(openEngine({ dataDir: folder })).rejects.toMatchObject(refusal);
      await expect(restoreFolder(folder, target)).rejects.toMatchObject(refusal);
    };
    const engine = await openEngine({ store: "memory" });
    await makeDataFolder(await dataFolder(), async (folder) => {
      await refused(folder);
      expect(await readdir(folder)).toEqual([]);
      // The first part is whole, and others are to come.
      await writeBackup(folder, engine.backup());
      await refused(folder);
    });
    await engine.close();
  });

  test("is refused while the store is being reopened, and once the engine is closed", async () => {
    const under = await EngineUnderTest.open();
    under.faults.failNext(1, "error", ["write"]);
    await expect(under.engine.start({ workflow: "w" })).rejects.toThrow();
    await expect(under.engine.backup().next()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await under.engine.close();
    await expect(under.engine.backup().next()).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
  });
});

describe("restoreFolder()", () => {
  test("makes a data folder of a backup, with an id of its own, and leaves the backup alone", async () => {
    const backup = await dataFolder();
    const engine = await busyEngine(await dataFolder());
    await writeBackup(backup, engine.backup());
    const before = await contentOf(engine);
    const files = await filesIn(backup);
    const restored = join(await dataFolder(), "deep");
    const shares: number[] = [];
    const onProgress = (share: number): number => shares.push(share);
    expect(await restoreFolder(backup, restored, { onProgress })).toMatchObject({ instances: 43 });
    expect(shares.at(-1)).toBe(1);
    expect(await filesIn(backup)).toEqual(files);
    expect(await storeIdOf(restored)).not.toBe(await storeIdOf(backup));
    expect(await contentOf(await openOnDisk(restored))).toEqual(before);
  });

  test("takes the folder of a stopped or killed server too", async () => {
    const dataDir = await filledFolder();
    const restored = await dataFolder();
    expect(await restoreFolder(dataDir, restored)).toMatchObject({ instances: 15, damaged: [] });
    expect(await verifyFolder(restored)).toMatchObject({ instances: 15, damaged: [] });
  });

  test("takes an empty folder as its target, and no other", async () => {
    const backup = await filledFolder();
    const target = await dataFolder();
    await mkdir(target);
    await restoreFolder(backup, target);
    await expect(restoreFolder(backup, target)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    const file = await dataFolder();
    await writeFile(file, "mine");
    await expect(restoreFolder(backup, file)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(await readFile(file, "utf8")).toBe("mine");
  });

  test("refuses a folder without Pawl data, and makes nothing", async () => {
    const target = await dataFolder();
    await expect(restoreFolder(await dataFolder(), target)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(await readdir(dirname(target))).toEqual([]);
  });

  test.each([
    ["a file is missing", (db: string) => rm(join(db, "CURRENT"))],
    ["a table is cut short", (db: string) => truncateTable(db)],
  ])("refuses a backup of which %s, and leaves nothing", async (_, damage) => {
    const backup = await filledFolder();
    await damage(join(backup, "db"));
    const target = await dataFolder();
    await expect(restoreFolder(backup, target)).rejects.toMatchObject({ code: "STORE_DAMAGED" });
    expect(await readdir(dirname(target))).toEqual([]);
  });

  test("names the damaged instances of a backup, and restores it only when told to", async () => {
    const backup = await filledFolder();
    const store = await openLevelStore(backup);
    await store.write([del(inboxKey("a0-3", 0))]);
    await store.close();
    const target = await dataFolder();
    await expect(restoreFolder(backup, target)).rejects.toMatchObject({
      code: "STORE_DAMAGED",
      message: expect.stringContaining("'a0-3'"),
    });
    expect(await readdir(dirname(target))).toEqual([]);
    const report = await restoreFolder(backup, target, { allowDamaged: true });
    expect(report.damaged.map(({ instanceId }) => instanceId)).toEqual(["a0-3"]);
    const engine = await openEngine({ dataDir: target });
    await expect(engine.get("a0-3")).rejects.toMatchObject({ code: "INSTANCE_DAMAGED" });
    expect((await engine.get("a0-4"))?.status).toBe("pending");
    await engine.close();
  });

  test("refuses the folder of a server that begins to run while it is copied", async () => {
    const dataDir = await filledFolder();
    const target = await dataFolder();
    const holder = JSON.stringify({ pid: process.ppid, since: new Date(0).toISOString() });
    // Its files are others by then.
    const onProgress = (): void => {
      writeFileSync(join(dataDir, "holder.json"), holder);
      rmSync(join(dataDir, "db"), { recursive: true, force: true });
    };
    await expect(restoreFolder(dataDir, target, { onProgress })).rejects.toMatchObject({
      code: "STORE_LOCKED",
      message: expect.stringContaining(`process ${process.ppid}`),
    });
    await expect(readdir(target)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("refuses the folder of a running server", async () => {
    const dataDir = await filledFolder();
    await openOnDisk(dataDir);
    await expect(restoreFolder(dataDir, await dataFolder())).rejects.toMatchObject({
      code: "STORE_LOCKED",
    });
  });
});

async function truncateTable(db: string): Promise<void> {
  const table = (await readdir(db)).find((name) => name.endsWith(".ldb"));
  await truncate(join(db, table ?? ""), 60);
}
