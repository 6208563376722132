// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { appendFile, cp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openEngine } from "../src/open-engine.js";
import { FilesDamaged, inspectDatabase, listTables } from "../src/store/level/inspect.js";
import { checkTable } from "../src/store/level/table-file.js";
import { verifyFolder } from "../src/verify-folder.js";
import { dataFolder, filesIn, filledFolder, openOnDisk } from "./data-folder.js";

const damaged = { code: "STORE_DAMAGED" };

/** The folder of a store whose process was killed: a log with `starts` writes, tables before it. */
async function killedFolder(starts: number): Promise<string> {
  const dataDir = await filledFolder();
  const engine = await openOnDisk(dataDir);
  for (let index = 0; index < starts; index += 1) {
    await engine.start({ workflow: "w", instanceId: `k${index}`, input: "x".repeat(900) });
  }
  const killed = `${dataDir}-killed`;
  await cp(dataDir, killed, { recursive: true });
  await engine.close();
  return killed;
}

async function fileOf(dataDir: string, pattern: RegExp): Promise<string> {
  const names = (await readdir(join(dataDir, "db"))).filter((name) => pattern.test(name));
  return join(dataDir, "db", names.sort().at(-1) ?? "");
}

/** Changes a byte, in its place; changed twice, it is as before. */
function flip(path: string, at: number): void {
  const file = openSync(path, "r+");
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 1;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}

/** Expects that the folder is refused, with a reason, and not a byte of it has changed. */
async function expectRefusal(dataDir: string, reason: string): Promise<void> {
  const before = await filesIn(dataDir);
  const refusal = { ...damaged, message: expect.stringContaining(reason) };
  await expect(openEngine({ dataDir, onDamage: "refuse" })).rejects.toMatchObject(refusal);
  expect(await filesIn(dataDir)).toEqual(before);
}

async function countOf(dataDir: string): Promise<number> {
  const engine = await openEngine({ dataDir });
  const { instances } = await engine.list({ pageSize: 1000 });
  await engine.close();
  return instances.length;
}

describe("the files of a store are read before LevelDB may change them", () => {
  test("a folder whose process was killed is sound", async () => {
    expect(await countOf(await killedFolder(100))).toBe(115);
  });

  test("a changed byte in the middle of the log is found", async () => {
    const dataDir = await killedFolder(100);
    flip(await fileOf(dataDir, /\.log$/), 40_000);
    await expectRefusal(dataDir, ".log is damaged at byte");
  });

  test("a missing log is found", async () => {
    const dataDir = await killedFolder(3);
    await rm(await fileOf(dataDir, /\.log$/));
    await expectRefusal(dataDir, ".log is missing");
  });

  test("a log that lost its end is found, though its writer was killed", async () => {
    const dataDir = await killedFolder(3);
    const log = await fileOf(dataDir, /\.log$/);
    const { length } = await readFile(log);
    await truncate(log, length - 5);
    await expect(openEngine({ dataDir })).rejects.toMatchObject(damaged);
  });

  test("an empty log is found, though its writer was killed", async () => {
    const dataDir = await killedFolder(3);
    await truncate(await fileOf(dataDir, /\.log$/), 0);
    await expect(openEngine({ dataDir })).rejects.toMatchObject(damaged);
  });

  test("a missing table is found", async () => {
    const dataDir = await killedFolder(3);
    await rm(await fileOf(dataDir, /\.ldb$/));
    await expectRefusal(dataDir, "is missing");
  });

  test("a table that was cut short is found", async () => {
    const dataDir = await killedFolder(3);
    await truncate(await fileOf(dataDir, /\.ldb$/), 100);
    await expectRefusal(dataDir, "has 100 bytes where");
  });

  test("a manifest that was cut short anywhere costs nothing or is found", async () => {
    const dataDir = await killedFolder(20);
    const manifest = await fileOf(dataDir, /^MANIFEST/);
    const whole = await readFile(manifest);
    let sound = 0;
    for (let length = 0; length < whole.length; length += 1) {
      await writeFile(manifest, whole.subarray(0, length));
      const found = await inspectDatabase(join(dataDir, "db")).catch((error) => error);
      if (found instanceof FilesDamaged) continue;
      sound += 1;
      const copy = await dataFolder();
      await cp(dataDir, copy, { recursive: true });
      expect([length, await countOf(copy)]).toEqual([length, 35]);
    }
    expect(sound).toBeLessThan(whole.length / 4);
  });

  test("noise behind the manifest's last record, as a power cut may leave it, costs nothing", async () => {
    const dataDir = await killedFolder(5);
    const manifest = await fileOf(dataDir, /^MANIFEST/);
    // As a record of three bytes: LevelDB takes it for one whose checksum is wrong.
    await appendFile(manifest, Buffer.from([1, 2, 3, 4, 3, 0, 1, 5, 6, 7, 8, 9]));
    expect((await verifyFolder(dataDir)).instances).toBe(20);
    expect(await countOf(dataDir)).toBe(20);
  });

  test("a changed byte anywhere in the manifest is found", async () => {
    const dataDir = await killedFolder(1);
    const manifest = await fileOf(dataDir, /^MANIFEST/);
    const whole = await readFile(manifest);
    for (let at = 0; at < whole.length; at += 1) {
      flip(manifest, at);
      const found = await inspectDatabase(join(dataDir, "db")).catch((error) => error);
      expect(found).toBeInstanceOf(FilesDamaged);
      flip(manifest, at);
    }
  });

  test("a changed byte anywhere in a table is found", async () => {
    const dataDir = await killedFolder(1);
    const { name, fact } = (await listTables(join(dataDir, "db"))).at(-1) ?? expect.unreachable();
    const table = join(dataDir, "db", name);
    expect(await checkTable(table, fact)).toEqual([]);
    const whole = await readFile(table);
    const missed: number[] = [];
    for (let at = 0; at < whole.length; at += 1) {
      flip(table, at);
      if ((await checkTable(table, fact)).length === 0) missed.push(at);
      flip(table, at);
    }
    // The footer has room for longer numbers; nobody reads what stands there.
    const footerAt = whole.length - 48;
    expect(missed.filter((at) => at < footerAt)).toEqual([]);
    expect(missed.length).toBeLessThan(40);
  });

  test("a damaged table is refused before LevelDB reads it, with what of it is damaged", async () => {
    const dataDir = await killedFolder(1);
    flip(await fileOf(dataDir, /\.ldb$/), 20);
    await expectRefusal(dataDir, ".ldb is damaged: its block at byte 0 is damaged");
  });

  test("only the newest tables are read at once, all of them by verifyFolder()", async () => {
    const dataDir = await dataFolder();
    for (const life of ["a", "b", "c"]) {
      const engine = await openOnDisk(dataDir);
      for (let index = 0; index < 20; index += 1) {
        // Random, and much: tables are of two megabytes at most, however LevelDB joins them.
        const input = randomBytes(100_000).toString("hex");
        await engine.start({ workflow: "w", instanceId: `${life}${index}`, input });
      }
      await engine.close();
    }
    const { fileNames } = await inspectDatabase(join(dataDir, "db"));
    const tables = fileNames.filter((name) => name.endsWith(".ldb")).sort();
    const [oldest = ""] = tables;
    expect(tables.length).toBeGreaterThan(1);
    flip(join(dataDir, "db", oldest), 20);
    await inspectDatabase(join(dataDir, "db"), 1);
    await expect(verifyFolder(dataDir)).rejects.toMatchObject({
      ...damaged,
      details: { file: `db/${oldest}` },
    });
  });
});
