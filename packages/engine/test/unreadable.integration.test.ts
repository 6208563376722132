// SPDX-License-Identifier: Apache-2.0

import { fstatSync, readdirSync, statSync } from "node:fs";
import { cp, open as openFile, readdir, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Level } from "level";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { isEngineError, verifyFolder } from "../src/index.js";
import { instanceIdOf, isRowKey } from "../src/store/key.js";
import { dataFolder, filesIn, openOnDisk } from "./data-folder.js";
import {
  asideIn,
  blocksOf,
  factsOf,
  finishKnown,
  type KnownFolder,
  makeKnownFolder,
  serveKnown,
} from "./known-folder.js";
import { ManualClock } from "./manual-clock.js";
import { type LogLine, loggerInto } from "./open-engine.js";

let known: KnownFolder;

beforeAll(async () => {
  known = await makeKnownFolder();
}, 60_000);

afterAll(() => rm(dirname(known.dataDir), { recursive: true }));

afterEach(() => {
  vi.restoreAllMocks();
});

/** What classic-level gives for a table that the system cannot open or read. */
function ioError(): Error {
  return Object.assign(new Error("IO error: 000005.ldb: Input/output error"), {
    code: "LEVEL_IO_ERROR",
  });
}

/** What the system gives for a bad place of a disk. */
function badPlace(): Error {
  return Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" });
}

/** A copy of the known folder, and a block of a table in it that has rows. */
async function copyWithBlock() {
  const dataDir = await dataFolder();
  await cp(known.dataDir, dataDir, { recursive: true });
  const blocks = await blocksOf(dataDir);
  const found = blocks.findLast(({ block }) => block.entries?.some(({ key }) => isRowKey(key)));
  const { file, block } = found ?? expect.unreachable();
  const keys = (block.entries ?? []).map(({ key }) => Buffer.from(key).toString("hex"));
  const [row] = (block.entries ?? []).filter(({ key }) => isRowKey(key));
  const instanceId = instanceIdOf(row?.key ?? expect.unreachable());
  return { dataDir, path: join(dataDir, file), offset: block.offset, keys, instanceId };
}

/** Lets LevelDB fail to read these keys while `isBad`. */
function failKeys(keys: readonly string[], isBad: () => boolean): void {
  const bad = new Set(keys);
  const refuse = (key: unknown): void => {
    if (isBad() && bad.has(Buffer.from(key as Uint8Array).toString("hex"))) throw ioError();
  };
  const { get, getMany } = Level.prototype;
  vi.spyOn(Level.prototype, "get").mockImplementation(async function (this: Level, ...args) {
    refuse(args[0]);
    return get.apply(this, args);
  });
  vi.spyOn(Level.prototype, "getMany").mockImplementation(async function (this: Level, ...args) {
    for (const key of args[0]) refuse(key);
    return getMany.apply(this, args);
  });
}

/** Lets reads of a byte of a file fail, as a disk does. */
async function failByte(path: string, at: number): Promise<void> {
  const { ino } = statSync(path);
  const file = await openFile(path, "r");
  const handle: { read: (...args: unknown[]) => Promise<unknown> } = Object.getPrototypeOf(file);
  await file.close();
  const { read } = handle;
  vi.spyOn(handle, "read").mockImplementation(async function (this: { fd: number }, ...args) {
    const [, , length, from] = args as [Buffer, number, number, number];
    const isHit = fstatSync(this.fd).ino === ino && from <= at && at < from + length;
    if (isHit) throw badPlace();
    return read.apply(this, args);
  });
}

const isAside = (dataDir: string): boolean =>
  readdirSync(dataDir).some((name) => name.startsWith("damaged-"));

describe("a read that the disk refuses", () => {
  test("is nobody's absence, and the store is opened again and has it all", async () => {
    const { dataDir, keys, instanceId } = await copyWithBlock();
    const log: LogLine[] = [];
    const engine = await openOnDisk(dataDir, {
      clock: new ManualClock(),
      logger: loggerInto(log),
    });
    let isBad = true;
    failKeys(keys, () => isBad);
    await expect(engine.get(instanceId)).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("Input/output error"),
    });
    expect(engine.isReady()).toBe(false);
    await expect(engine.start({ workflow: "echo", instanceId })).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
    });
    isBad = false;
    await vi.waitFor(() => expect(engine.isReady()).toBe(true), 20_000);
    for (const [id, truth] of known.truth) expect(await factsOf(engine, id)).toEqual(truth);
    expect(log).toContainEqual({
      level: "error",
      facts: { reason: expect.stringContaining("Input/output error") },
      message: "the store failed and is being reopened",
    });
    expect(await asideIn(dataDir)).toEqual([]);
    await engine.close();
  });

  test("and goes on refusing is salvaged: what was there is parked, the rest served", async () => {
    const { dataDir, path, offset, keys, instanceId } = await copyWithBlock();
    const before = await filesIn(join(dataDir, "db"));
    const engine = await openOnDisk(dataDir, { clock: new ManualClock() });
    failKeys(keys, () => !isAside(dataDir));
    await failByte(path, offset + 9);
    await expect(engine.get(instanceId)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await vi.waitFor(() => expect(engine.isReady()).toBe(true), 20_000);
    await engine.close();
    vi.restoreAllMocks();
    const served = await serveKnown(known, dataDir);
    expect(served.parked).toContain(instanceId);
    expect(served.parked.size).toBeLessThan(known.truth.size / 2);
    await finishKnown(known, served);
    await served.engine.close();
    const [aside = ""] = await asideIn(dataDir);
    expect((await filesIn(join(dataDir, aside, "db"))).get(path.split("/").at(-1) ?? "")).toEqual(
      before.get(path.split("/").at(-1) ?? ""),
    );
    expect((await verifyFolder(dataDir)).lost).toEqual([
      expect.stringContaining(`the block at byte ${offset} of ${aside}/db/`),
    ]);
  });

  test("at the start is found and salvaged, wherever in a table it is", async () => {
    const { path } = await copyWithBlock();
    const { size } = statSync(path);
    for (const share of [0, 0.3, 0.6, 0.9, 1]) {
      const copy = await copyWithBlock();
      await failByte(copy.path, Math.floor((size - 1) * share));
      const served = await serveKnown(known, copy.dataDir);
      vi.restoreAllMocks();
      await finishKnown(known, served);
      await served.engine.close();
      expect(await asideIn(copy.dataDir)).toHaveLength(1);
    }
  }, 60_000);
});

// The process's own memory cannot be read at its beginning: an error of the system's that is none of ours.
describe.skipIf(process.platform !== "linux")("a file of which the disk gives nothing", () => {
  async function copyWithout(choose: (names: readonly string[]) => string | undefined) {
    const { dataDir } = await copyWithBlock();
    const folder = join(dataDir, "db");
    const name = choose(await readdir(folder)) ?? expect.unreachable();
    await rm(join(folder, name));
    await symlink("/proc/self/mem", join(folder, name));
    return { dataDir, name };
  }

  test.each([
    ["CURRENT", /^CURRENT$/],
    ["the manifest", /^MANIFEST/],
    ["the log", /\.log$/],
  ])("is damage that is named and refused, when it is %s", async (_, pattern) => {
    const { dataDir, name } = await copyWithout((names) =>
      names.find((each) => pattern.test(each)),
    );
    const names = await readdir(join(dataDir, "db"));
    for (const open of [openOnDisk, verifyFolder]) {
      const refusal = await open(dataDir).catch((error: unknown) => error);
      if (!isEngineError(refusal)) throw refusal;
      expect(refusal.code).toBe("STORE_DAMAGED");
      expect(refusal.message).toMatch(/cannot be read \(EIO.*restore it from a backup/);
      expect(refusal.message).toContain(name);
    }
    expect(await readdir(join(dataDir, "db"))).toEqual(names);
  });

  test("is as a table that is missing, when it is one", async () => {
    const { dataDir } = await copyWithout((names) => names.find((name) => /\.ldb$/.test(name)));
    await expect(openOnDisk(dataDir)).rejects.toMatchObject({
      code: "STORE_DAMAGED",
      message: expect.stringMatching(/may have had any instance.*restore it from a backup/),
    });
    expect(await asideIn(dataDir)).toEqual([]);
  });
});
