// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Level } from "level";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { restoreFolder, verifyFolder, writeBackup } from "../src/index.js";
import { instanceIdOf, isRowKey, rowKey } from "../src/store/key.js";
import { mayMatch } from "../src/store/level/bloom-filter.js";
import type { TableBlock } from "../src/store/level/table-scan.js";
import { openLevelStore } from "../src/store/level-store.js";
import { DatabaseInUse, lockDatabase } from "../src/store/salvage/lock-database.js";
import { readSideFile, writeSideFile } from "../src/store/side-file.js";
import { commitKey, isCommitKey } from "../src/store/store-key.js";
import { dataFolder, filesIn, openOnDisk, watchSyncs } from "./data-folder.js";
import {
  asideIn,
  blocksOf,
  finishKnown,
  flip,
  type KnownFolder,
  makeKnownFolder,
  type Served,
  serveKnown,
} from "./known-folder.js";

const damaged = { code: "INSTANCE_DAMAGED" };

let known: KnownFolder;

beforeAll(async () => {
  known = await makeKnownFolder();
}, 60_000);

afterAll(() => rm(dirname(known.dataDir), { recursive: true }));

/** A copy of the known folder with a changed byte in one block. */
async function damagedCopy(file: string, block: TableBlock): Promise<string> {
  const dataDir = await dataFolder();
  await cp(known.dataDir, dataDir, { recursive: true });
  flip(join(dataDir, file), block.offset + 9);
  return dataDir;
}

/** Opens a damaged folder and holds what is served against the truth. */
const serve = (dataDir: string): Promise<Served> => serveKnown(known, dataDir);

/** A block that has the newest row of an instance that sleeps. */
async function blockWithRow(): Promise<{ file: string; block: TableBlock; instanceId: string }> {
  for (const found of await blocksOf(known.dataDir)) {
    for (const { key, value } of found.block.entries ?? []) {
      const instanceId = isRowKey(key) ? instanceIdOf(key) : "";
      if (value !== undefined && instanceId.startsWith("asleep-2")) return { ...found, instanceId };
    }
  }
  throw new Error("there is no such block");
}

describe("a folder of which a block of a table is damaged", () => {
  test("is laid aside for one that is on disk, with all its files", async () => {
    const { file, block } = await blockWithRow();
    const dataDir = await damagedCopy(file, block);
    const unsynced = await watchSyncs();
    let left: readonly string[] | undefined;
    const onSalvaged = (): void => {
      left = unsynced(join(dataDir, "db"));
    };
    const store = await openLevelStore(dataDir, { onDamage: "salvage", onSalvaged });
    await store.close();
    expect(left).toEqual([]);
  });

  test("serves what was not in it to the end, never anything wrong, and keeps what it was", async () => {
    const blocks = await blocksOf(known.dataDir);
    expect(blocks.length).toBeGreaterThan(20);
    const sampled = 6;
    const first = Math.floor((Math.random() * blocks.length) / sampled);
    for (let at = first; at < blocks.length; at += Math.floor(blocks.length / sampled)) {
      const { file, block } = blocks[at] ?? expect.unreachable();
      const dataDir = await damagedCopy(file, block);
      const before = await filesIn(dataDir);
      const served = await serve(dataDir);
      const { engine, parked, log } = served;
      for (const id of parked) {
        expect((await engine.explain(id)).damage).toContain("damaged");
        await expect(engine.start({ workflow: "echo", instanceId: id })).rejects.toMatchObject(
          damaged,
        );
      }
      expect([at, parked.size]).toEqual([at, expect.toSatisfy((count) => count < 40)]);
      await finishKnown(known, served);
      await engine.close();
      const [aside = ""] = await asideIn(dataDir);
      expect(await filesIn(join(dataDir, aside))).toEqual(before);
      const said = log.find(({ facts }) => facts.aside === aside)?.facts.blocks;
      expect(said).toEqual([`${join(aside, file)} at byte ${block.offset}`]);
      const report = await verifyFolder(dataDir);
      expect(report.indexFaults).toEqual([]);
      expect(report.lost).toEqual([expect.stringContaining(join(aside, file))]);
      for (const { instanceId } of report.damaged) expect(parked).toContain(instanceId);
    }
  }, 120_000);

  test("is refused and left as it is when that is asked for", async () => {
    const { file, block } = await blockWithRow();
    const dataDir = await damagedCopy(file, block);
    const before = await filesIn(dataDir);
    const refusal = { code: "STORE_DAMAGED", message: expect.stringContaining("--on-damage") };
    await expect(openOnDisk(dataDir, { onDamage: "refuse" })).rejects.toMatchObject(refusal);
    await expect(verifyFolder(dataDir)).rejects.toMatchObject(refusal);
    expect(await filesIn(dataDir)).toEqual(before);
  });

  test("keeps nothing from being served when only a filter is damaged", async () => {
    const blocks = await blocksOf(known.dataDir);
    const { file, block } = blocks.at(-1) ?? expect.unreachable();
    const dataDir = await dataFolder();
    await cp(known.dataDir, dataDir, { recursive: true });
    // Somewhere behind the last block begins the block of filters.
    const size = (await filesIn(dataDir)).get(file)?.length ?? 0;
    let at = block.offset;
    for (; at < size; at += 64) {
      flip(join(dataDir, file), at);
      const now = await blocksOf(dataDir).catch(() => []);
      const last = now.at(-1);
      if (last?.block.entries !== undefined && last.block.filter === undefined) break;
      flip(join(dataDir, file), at);
    }
    expect(at).toBeLessThan(size);
    const { parked, engine } = await serve(dataDir);
    expect([...parked]).toEqual([]);
    await engine.close();
    expect(await asideIn(dataDir)).toHaveLength(1);
  });

  test("a row that was lost is never taken for a new one, until it is purged by force", async () => {
    const { file, block, instanceId } = await blockWithRow();
    const dataDir = await damagedCopy(file, block);
    const { engine, parked, log } = await serve(dataDir);
    expect(parked).toContain(instanceId);
    expect(log).toContainEqual({
      level: "error",
      facts: { instanceId, reason: expect.stringContaining(`at byte ${block.offset} of damaged-`) },
      message: "an instance is damaged and was parked",
    });
    expect(await engine.purge(instanceId, { force: true })).toBe(1);
    expect(await engine.get(instanceId)).toBeUndefined();
    await engine.close();
    const again = await openOnDisk(dataDir);
    expect(await again.get(instanceId)).toBeUndefined();
    await again.start({ workflow: "echo", instanceId });
    await again.purge(instanceId, { force: true });
    expect(await again.get(instanceId)).toBeUndefined();
    await again.close();
  });

  test("an id of which nothing is left is not said to be free", async () => {
    const { file, block, instanceId } = await blockWithRow();
    const dataDir = await damagedCopy(file, block);
    const { engine } = await serve(dataDir);
    const other = [...Array(5000).keys()].map((number) => `${instanceId}.${number}`);
    const held = other.filter(
      (id) => block.filter && mayMatch(block.filter, rowKey(id)) && isWithin(block, rowKey(id)),
    );
    for (const id of other.slice(0, 50)) {
      const found = engine.get(id);
      if (held.includes(id)) await expect(found).rejects.toMatchObject(damaged);
      else expect(await found).toBeUndefined();
    }
    for (const id of held.slice(0, 3)) {
      await expect(engine.start({ workflow: "echo", instanceId: id })).rejects.toMatchObject(
        damaged,
      );
    }
    await engine.close();
  });

  test("is salvaged a second time when it is damaged again", async () => {
    const { file, block, instanceId } = await blockWithRow();
    const dataDir = await damagedCopy(file, block);
    const first = await serve(dataDir);
    await first.engine.close();
    // A closed folder has all in its log; the next life has it in a table.
    await (await openOnDisk(dataDir)).close();
    const blocks = await blocksOf(dataDir);
    const { file: nextFile, block: nextBlock } = blocks[3] ?? expect.unreachable();
    flip(join(dataDir, nextFile), nextBlock.offset + 9);
    const second = await serve(dataDir);
    expect(second.parked.size).toBeGreaterThan(first.parked.size);
    expect(second.parked).toContain(instanceId);
    expect(await asideIn(dataDir)).toHaveLength(2);
    await second.engine.close();
  });

  test("is refused when its log lacks commits, whatever the filter of a lost block says", async () => {
    const blocks = await blocksOf(known.dataDir);
    const found = blocks.findLast(({ block }) =>
      block.entries?.some(({ key }) => isCommitKey(key)),
    );
    const { file, block } = found ?? expect.unreachable();
    const filter = block.filter ?? expect.unreachable();
    const dataDir = await damagedCopy(file, block);
    const side = (await readSideFile(dataDir)) ?? expect.unreachable();
    // One of a hundred keys that are not in a filter seems to be.
    const later = [...Array(5000).keys()].map((number) => side.commit + 1 + number);
    const isHeld = (commit: number): boolean =>
      isWithin(block, commitKey(commit)) && mayMatch(filter, commitKey(commit));
    const commit = later.find(isHeld) ?? expect.unreachable();
    await writeSideFile(dataDir, { ...side, commit });
    await expect(openOnDisk(dataDir)).rejects.toMatchObject({
      code: "STORE_DAMAGED",
      message: expect.stringContaining(`commits up to ${commit} were acknowledged`),
    });
  });

  test("takes what it lost into its backups", async () => {
    const { file, block } = await blockWithRow();
    const { engine, parked } = await serve(await damagedCopy(file, block));
    const copy = await dataFolder();
    const { damaged: found } = await writeBackup(copy, engine.backup());
    expect(found.length).toBeGreaterThan(0);
    await engine.close();
    const restored = await dataFolder();
    await restoreFolder(copy, restored, { allowDamaged: true });
    const after = await serve(restored);
    expect([...after.parked].sort()).toEqual([...parked].sort());
    await after.engine.close();
  });
});

describe("a salvage", () => {
  test("that was cut short before its end begins anew", async () => {
    const { file, block } = await blockWithRow();
    const dataDir = await damagedCopy(file, block);
    await mkdir(join(dataDir, "db.salvaged"));
    await writeFile(join(dataDir, "db.salvaged", "000005.ldb"), "half");
    await mkdir(join(dataDir, "salvage.lock-999999999"));
    const { engine, parked } = await serve(dataDir);
    expect(parked.size).toBeGreaterThan(0);
    await engine.close();
    expect((await readdir(dataDir)).filter((name) => /salvage/.test(name))).toEqual([]);
  });

  test("that was cut short between its two renames is ended", async () => {
    const { file, block } = await blockWithRow();
    const dataDir = await damagedCopy(file, block);
    const whole = await serve(dataDir);
    await whole.engine.close();
    await rename(join(dataDir, "db"), join(dataDir, "db.salvaged"));
    const { engine, parked } = await serve(dataDir);
    expect([...parked]).toEqual([...whole.parked]);
    await engine.close();
  });

  test("does not begin where another process has the database", async () => {
    const dataDir = await dataFolder();
    await mkdir(dataDir);
    const level = new Level(join(dataDir, "db"));
    await level.open();
    await level.close();
    const script = `import { Level } from "level";
      const level = new Level(process.argv[1]);
      await level.open();
      console.log("open");
      process.stdin.on("end", () => level.close()).resume();`;
    const args = ["--input-type=module", "-e", script, join(dataDir, "db")];
    const holder = spawn(process.execPath, args, {
      cwd: import.meta.dirname,
      stdio: ["pipe", "pipe", "inherit"],
    });
    onTestFinished(() => void holder.kill());
    await once(holder.stdout, "data");
    await expect(lockDatabase(dataDir, "db")).rejects.toBeInstanceOf(DatabaseInUse);
    holder.stdin.end();
    await once(holder, "exit");
    const unlock = await lockDatabase(dataDir, "db");
    await unlock();
    expect(await readdir(dataDir)).toEqual(["db"]);
  });
});

describe("the filter of a block", () => {
  test("has every key of it, and few others", async () => {
    let tried = 0;
    let taken = 0;
    for (const { block } of await blocksOf(known.dataDir)) {
      const filter = block.filter ?? expect.unreachable();
      for (const { key } of block.entries ?? []) {
        expect(mayMatch(filter, key)).toBe(true);
        tried += 1;
        if (mayMatch(filter, Buffer.concat([key, Buffer.from("!")]))) taken += 1;
      }
    }
    expect(tried).toBeGreaterThan(1000);
    expect(taken / tried).toBeLessThan(0.03);
  });
});

function isWithin({ after, upTo }: TableBlock, key: Uint8Array): boolean {
  return Buffer.compare(key, upTo) <= 0 && (after === undefined || Buffer.compare(key, after) > 0);
}
