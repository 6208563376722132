// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";
import { appendFile, cp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isEngineError, restoreFolder, verifyFolder, writeBackup } from "../src/index.js";
import { listTables, type TableFile } from "../src/store/level/inspect.js";
import { userKey } from "../src/store/level/manifest.js";
import { findBlock } from "../src/store/level/table-block.js";
import { readSideFile, writeSideFile } from "../src/store/side-file.js";
import { dataFolder, filesIn, openOnDisk } from "./data-folder.js";
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

/** All in one small table, and a log. */
let small: KnownFolder;
/** Several tables. */
let large: KnownFolder;

beforeAll(async () => {
  small = await makeKnownFolder({ groups: 5 });
  // Noise, so that it stays long: a table has about two megabytes.
  large = await makeKnownFolder({
    groups: 5,
    endedInput: () => randomBytes(12_000).toString("hex"),
  });
}, 120_000);

afterAll(async () => {
  await rm(dirname(small.dataDir), { recursive: true });
  await rm(dirname(large.dataDir), { recursive: true });
});

async function copyOf({ dataDir }: KnownFolder): Promise<string> {
  const copy = await dataFolder();
  await cp(dataDir, copy, { recursive: true });
  return copy;
}

function tablesOf({ dataDir }: KnownFolder): Promise<TableFile[]> {
  return listTables(join(dataDir, "db"));
}

/** Where the blocks of entries of a table end, and what is about them begins. */
async function entriesEnd({ dataDir }: KnownFolder, { name }: TableFile): Promise<number> {
  const blocks = (await blocksOf(dataDir)).filter(({ file }) => file === join("db", name));
  const { block } = blocks.at(-1) ?? expect.unreachable();
  const bytes = await readFile(join(dataDir, "db", name));
  // The last of them has no length of its own: the filters begin behind its checksum.
  const { length } = findBlock(bytes, block.offset) ?? expect.unreachable();
  return block.offset + length;
}

/** Expects that a harmed copy is served as if nothing had been done to it. */
async function expectWhole(known: KnownFolder, dataDir: string): Promise<void> {
  const before = await filesIn(dataDir);
  const served = await serveKnown(known, dataDir);
  expect([...served.parked]).toEqual([]);
  await finishKnown(known, served);
  await served.engine.close();
  const [aside = ""] = await asideIn(dataDir);
  expect(await filesIn(join(dataDir, aside))).toEqual(before);
  expect(await verifyFolder(dataDir)).toMatchObject({ damaged: [], indexFaults: [], lost: [] });
}

/**
 * Expects that a harmed copy is refused as it is, or served with nothing wrong in it.
 * @returns how many instances are parked; undefined: it is refused
 */
async function expectHonest(known: KnownFolder, dataDir: string): Promise<number | undefined> {
  const before = await filesIn(dataDir);
  let served: Served;
  try {
    served = await serveKnown(known, dataDir);
  } catch (error) {
    if (!isEngineError(error)) throw error;
    expect(error).toMatchObject({ code: "STORE_DAMAGED" });
    expect(await filesIn(dataDir)).toEqual(before);
    return undefined;
  }
  await finishKnown(known, served);
  await served.engine.close();
  const [aside = ""] = await asideIn(dataDir);
  expect(await filesIn(join(dataDir, aside))).toEqual(before);
  const report = await verifyFolder(dataDir);
  expect(report.indexFaults).toEqual([]);
  for (const { instanceId } of report.damaged) expect(served.parked).toContain(instanceId);
  return served.parked.size;
}

describe("a table whose blocks of entries are whole", () => {
  test("loses nothing, wherever else a bit of it has changed", async () => {
    const [table = expect.unreachable()] = await tablesOf(small);
    const from = await entriesEnd(small, table);
    const footer = table.fact.sizeBytes - 48;
    const places = [from, footer - 9, footer, table.fact.sizeBytes - 1];
    for (const at of [...places, ...fc.sample(fc.integer({ min: from, max: footer }), 1)]) {
      const dataDir = await copyOf(small);
      flip(join(dataDir, "db", table.name), at);
      await expectWhole(small, dataDir);
    }
  }, 120_000);

  test("loses nothing when all behind them is cut off, or bytes are added", async () => {
    const [table = expect.unreachable()] = await tablesOf(small);
    const cut = await copyOf(small);
    await truncate(join(cut, "db", table.name), await entriesEnd(small, table));
    await expectWhole(small, cut);
    const grown = await copyOf(small);
    await appendFile(join(grown, "db", table.name), randomBytes(5000));
    await expectWhole(small, grown);
  }, 60_000);
});

describe("a table of which a part is gone", () => {
  test.each([
    ["missing", (path: string) => rm(path)],
    ["empty", (path: string) => truncate(path)],
    ["noise", (path: string) => writeFile(path, randomBytes(2000))],
  ])(
    "that is %s parks what may have been in it, and the rest is served",
    async (_, harm) => {
      const dataDir = await copyOf(large);
      const tables = await tablesOf(large);
      const within = tables.filter(({ fact }) => userKey(fact.last)[0] === 0);
      const [{ name } = expect.unreachable()] = within;
      await harm(join(dataDir, "db", name));
      const parked = await expectHonest(large, dataDir);
      expect(parked).toBeGreaterThan(0);
      expect(parked).toBeLessThan(large.truth.size);
    },
    60_000,
  );

  test("never shows anything wrong, however much of it is gone", async () => {
    const tables = await tablesOf(large);
    for (const share of fc.sample(fc.integer({ min: 0, max: 999 }), 4)) {
      const { name, fact } = tables[share % tables.length] ?? expect.unreachable();
      const dataDir = await copyOf(large);
      await truncate(join(dataDir, "db", name), Math.floor((fact.sizeBytes * share) / 1000));
      await expectHonest(large, dataDir);
    }
  }, 120_000);

  test("that is cut short in a folder of one table serves what stands before", async () => {
    const { dataDir, parked } = await cutInHalf();
    expect(parked).toBeGreaterThan(10);
    expect(parked).toBeLessThan(small.truth.size - 10);
    expect((await verifyFolder(dataDir)).lost).toEqual([
      expect.stringMatching(/^what follows byte \d+ of damaged-.*\.ldb, which cannot be read$/),
    ]);
  });

  test("is refused as it was when any instance may have been in it", async () => {
    const dataDir = await copyOf(small);
    const [{ name } = expect.unreachable()] = await tablesOf(small);
    await rm(join(dataDir, "db", name));
    await expectRefusal(dataDir, /ldb is missing; \d+\.ldb may have had any instance.*backup/);
  });

  test("is refused as it was when the list of what was lost before may have been in it", async () => {
    const { dataDir } = await cutInHalf();
    // What is in a log after the salvage is in a table after the next start.
    await (await openOnDisk(dataDir)).close();
    await truncateFirstTable(dataDir);
    await expectRefusal(dataDir, /may have had the list of what was lost before/);
  });

  test("is refused as it was when nobody knows whether there was such a list", async () => {
    const dataDir = await copyOf(small);
    const side = (await readSideFile(dataDir)) ?? expect.unreachable();
    expect(side.lostBlocks).toBe(0);
    await writeSideFile(dataDir, { ...side, lostBlocks: undefined });
    await truncateFirstTable(dataDir);
    await expectRefusal(dataDir, /may have had the list of what was lost before/);
  });

  test("is refused as it was when the log has lost its end as well", async () => {
    const dataDir = await copyOf(small);
    await truncateFirstTable(dataDir);
    const names = await readdir(join(dataDir, "db"));
    const log = join(dataDir, "db", names.find((name) => name.endsWith(".log")) ?? "");
    const { length } = await readFile(log);
    expect(length).toBeGreaterThan(1000);
    const lostCommits = /acknowledged writes \(commits up to \d+ were acknowledged/;
    for (const left of [length - 3, 0]) {
      await truncate(log, left);
      await expectRefusal(dataDir, lostCommits);
    }
  });
});

describe("pawl.json", () => {
  test("says how many lost blocks the store knows of, and so do copies of it", async () => {
    const { dataDir } = await cutInHalf();
    const lostBlocks = async (folder: string): Promise<number | undefined> =>
      (await readSideFile(folder))?.lostBlocks;
    expect(await lostBlocks(dataDir)).toBe(1);
    const engine = await openOnDisk(dataDir);
    const backup = await dataFolder();
    await writeBackup(backup, engine.backup());
    await engine.close();
    expect(await lostBlocks(backup)).toBe(1);
    const restored = await dataFolder();
    await restoreFolder(backup, restored, { allowDamaged: true });
    expect(await lostBlocks(restored)).toBe(1);
  });

  test("that does not say so is written anew when the store is opened", async () => {
    const { dataDir } = await cutInHalf();
    const side = (await readSideFile(dataDir)) ?? expect.unreachable();
    for (const lostBlocks of [undefined, 0]) {
      await writeSideFile(dataDir, { ...side, lostBlocks });
      await (await openOnDisk(dataDir)).close();
      expect((await readSideFile(dataDir))?.lostBlocks).toBe(1);
    }
  });
});

/** Cuts the first table of a folder in the middle. */
async function truncateFirstTable(dataDir: string): Promise<void> {
  const [{ name, fact } = expect.unreachable()] = await listTables(join(dataDir, "db"));
  await truncate(join(dataDir, "db", name), fact.sizeBytes >> 1);
}

/** A copy of the small folder that was served though half of its table was gone; closed. */
async function cutInHalf(): Promise<{ dataDir: string; parked: number }> {
  const dataDir = await copyOf(small);
  await truncateFirstTable(dataDir);
  const parked = (await expectHonest(small, dataDir)) ?? expect.unreachable();
  return { dataDir, parked };
}

/** Who does not ask for a salvage is not told to ask for one. */
async function expectRefusal(dataDir: string, message: RegExp): Promise<void> {
  const before = await filesIn(dataDir);
  const tries = [
    () => openOnDisk(dataDir),
    () => openOnDisk(dataDir, { onDamage: "refuse" }),
    () => verifyFolder(dataDir),
  ];
  for (const open of tries) {
    const refusal = await open().catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: "STORE_DAMAGED",
      message: expect.stringMatching(message),
    });
    expect(refusal).not.toMatchObject({ message: expect.stringContaining("--on-damage") });
    expect(await filesIn(dataDir)).toEqual(before);
  }
}
