// SPDX-License-Identifier: Apache-2.0

import { cp, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { EngineOptions } from "../src/index.js";
import { isRowKey } from "../src/store/key.js";
import { dataFolder, openOnDisk } from "./data-folder.js";
import { blocksOf, factsOf, flip, type KnownFolder, makeKnownFolder } from "./known-folder.js";
import { type LogLine, loggerInto } from "./open-engine.js";

let known: KnownFolder;

beforeAll(async () => {
  known = await makeKnownFolder();
}, 60_000);

afterAll(() => rm(dirname(known.dataDir), { recursive: true }));

const quick = { bytesPerSecond: 1 << 30, firstAfterMs: 0, againAfterMs: 5 };

/** Opens a copy of the known folder, then changes a byte of a table: in its newest row block, or its index. */
async function openAndDamage(
  options: EngineOptions,
  log: LogLine[],
  part: "rows" | "index" = "rows",
): Promise<string> {
  const dataDir = await dataFolder();
  await cp(known.dataDir, dataDir, { recursive: true });
  const blocks = await blocksOf(dataDir);
  const found = blocks.findLast(({ block }) => block.entries?.some(({ key }) => isRowKey(key)));
  const { file, block } = found ?? expect.unreachable();
  const engine = await openOnDisk(dataDir, { ...options, logger: loggerInto(log) });
  engines.push(engine);
  const { size } = await stat(join(dataDir, file));
  // The index stands before the footer, which has 48 bytes.
  flip(join(dataDir, file), part === "rows" ? block.offset + 9 : size - 60);
  return dataDir;
}

const engines: Awaited<ReturnType<typeof openOnDisk>>[] = [];

async function asideIn(dataDir: string): Promise<string[]> {
  return (await readdir(dataDir)).filter((name) => name.startsWith("damaged-"));
}

test("damage that comes while the engine works is found, parked, and the rest served", async () => {
  const log: LogLine[] = [];
  const dataDir = await openAndDamage({ scrub: quick }, log);
  const engine = engines.at(-1) ?? expect.unreachable();
  await vi.waitFor(async () => {
    expect(await asideIn(dataDir)).toHaveLength(1);
    expect(engine.isReady()).toBe(true);
  }, 20_000);
  expect(log.map(({ message }) => message)).toContain("a table of the database is damaged");
  let parked = 0;
  for (const [id, facts] of known.truth) {
    const found = await factsOf(engine, id).catch((error: unknown) => error);
    if (found instanceof Error) {
      expect(found).toMatchObject({ code: "INSTANCE_DAMAGED" });
      parked += 1;
    } else {
      expect([id, found]).toEqual([id, facts]);
    }
  }
  expect(parked).toBeGreaterThan(0);
  expect(parked).toBeLessThan(40);
  await engine.close();
}, 40_000);

test("a damaged index that is found while the engine works costs nothing", async () => {
  const log: LogLine[] = [];
  const dataDir = await openAndDamage({ scrub: quick }, log, "index");
  const engine = engines.at(-1) ?? expect.unreachable();
  await vi.waitFor(async () => {
    expect(await asideIn(dataDir)).toHaveLength(1);
    expect(engine.isReady()).toBe(true);
  }, 20_000);
  expect(log).toContainEqual(
    expect.objectContaining({
      message: "a table of the database is damaged",
      facts: expect.objectContaining({ reason: expect.stringMatching(/its index is damaged$/) }),
    }),
  );
  for (const [id, facts] of known.truth) {
    expect([id, await factsOf(engine, id)]).toEqual([id, facts]);
  }
  await engine.close();
}, 40_000);

test("it is only said where it is to be refused", async () => {
  const log: LogLine[] = [];
  const dataDir = await openAndDamage({ scrub: quick, onDamage: "refuse" }, log);
  const engine = engines.at(-1) ?? expect.unreachable();
  await vi.waitFor(() => {
    const said = log.filter(({ message }) => message === "a table of the database is damaged");
    expect(said[0]?.facts).toMatchObject({ reason: expect.stringContaining("its block at byte") });
  }, 20_000);
  expect(engine.isReady()).toBe(true);
  expect(await asideIn(dataDir)).toEqual([]);
  await engine.close();
});

test("nothing is read where the rate is 0", async () => {
  const log: LogLine[] = [];
  const dataDir = await openAndDamage({ scrub: { ...quick, bytesPerSecond: 0 } }, log);
  const engine = engines.at(-1) ?? expect.unreachable();
  await engine.start({ workflow: "later", instanceId: "new" });
  await engine.close();
  expect(log.filter(({ level }) => level === "error")).toEqual([]);
  expect(await asideIn(dataDir)).toEqual([]);
});

test("an engine that compacts its tables meanwhile is not taken for damaged", async () => {
  const log: LogLine[] = [];
  const dataDir = await dataFolder();
  const engine = await openOnDisk(dataDir, {
    scrub: { ...quick, againAfterMs: 0 },
    logger: loggerInto(log),
  });
  const input = "x".repeat(100_000);
  for (let index = 0; index < 150; index += 1) {
    const noise = `${Math.random()}`.repeat(2000);
    await engine.start({ workflow: "w", instanceId: `a${index}`, input: `${input}${noise}` });
    if (index % 3 === 0) await engine.purge(`a${index}`, { force: true });
  }
  await engine.close();
  expect(log.filter(({ level }) => level === "error")).toEqual([]);
}, 60_000);
