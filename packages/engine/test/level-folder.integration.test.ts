// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AbstractKeyIterator } from "abstract-level";
import { Level } from "level";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { EngineError } from "../src/errors.js";
import { openEngine } from "../src/open-engine.js";
import { LostBlocks } from "../src/store/salvage/lost-blocks.js";
import { formatVersion, readSideFile, writeSideFile } from "../src/store/side-file.js";
import { commitKey } from "../src/store/store-key.js";
import { verifyFolder } from "../src/verify-folder.js";
import { dataFolder, filesIn, filledFolder, openOnDisk } from "./data-folder.js";
import { flows } from "./flows.js";
import { ScriptedWorker } from "./scripted-worker.js";

const damaged = { code: "STORE_DAMAGED" };

async function openDatabase(dataDir: string): Promise<Level<Uint8Array, Uint8Array>> {
  const db = new Level<Uint8Array, Uint8Array>(join(dataDir, "db"), {
    keyEncoding: "buffer",
    valueEncoding: "buffer",
  });
  await db.open();
  return db;
}

/** The newest commit mark, read from the database itself. */
async function newestCommit(dataDir: string): Promise<number> {
  const db = await openDatabase(dataDir);
  try {
    const range = { gte: commitKey(0), lt: commitKey(Number.MAX_SAFE_INTEGER) };
    return (await db.keys(range).all()).length;
  } finally {
    await db.close();
  }
}

/** The files below a folder that this process has open; none where the system does not say. */
async function openFilesIn(folder: string): Promise<string[]> {
  const numbers = await readdir("/proc/self/fd").catch(() => []);
  const paths = numbers.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => ""));
  return (await Promise.all(paths)).filter((path) => path.startsWith(folder));
}

/** Expects that the folder is refused and every file of before is still there. */
async function expectRefusal(dataDir: string, refusal: object): Promise<void> {
  const before = await filesIn(dataDir);
  await expect(openEngine({ dataDir })).rejects.toMatchObject(refusal);
  await expect(openEngine({ dataDir })).rejects.toMatchObject(refusal);
  const after = await filesIn(dataDir);
  for (const [name, bytes] of before) {
    expect([name, after.get(name)?.equals(bytes)]).toEqual([name, true]);
  }
}

describe("a data folder", () => {
  test("is made where there is none, with the way to it", async () => {
    const dataDir = join(await dataFolder(), "deep", "down");
    const engine = await openOnDisk(dataDir);
    await engine.start({ workflow: "w", instanceId: "a" });
    await engine.close();
    const again = await openOnDisk(dataDir);
    expect(await again.get("a")).toMatchObject({ status: "pending" });
  });

  test("is made in an empty one, and where a making was cut short", async () => {
    const dataDir = await dataFolder();
    await mkdir(dataDir);
    await (await openOnDisk(dataDir)).close();
    await rm(join(dataDir, "pawl.json"));
    await writeFile(join(dataDir, "pawl.json.new"), "{");
    const engine = await openOnDisk(dataDir);
    expect((await engine.list()).instances).toEqual([]);
  });

  test("needs to be named", async () => {
    await expect(openEngine({ store: "level" })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      details: { field: "dataDir" },
    });
  });

  test("keeps its id, and the newest commit when it is closed", async () => {
    const dataDir = await filledFolder();
    const side = JSON.parse(await readFile(join(dataDir, "pawl.json"), "utf8"));
    expect(side).toEqual({
      formatVersion,
      storeId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      commit: await newestCommit(dataDir),
      checksum: expect.any(Number),
      lostBlocks: 0,
      lostChecksum: expect.any(Number),
    });
    await (await openOnDisk(dataDir)).close();
    expect(JSON.parse(await readFile(join(dataDir, "pawl.json"), "utf8"))).toEqual(side);
    expect(await readdir(dataDir)).not.toContain("holder.json");
  });
});

describe("an existing data folder is refused, and not made anew", () => {
  test("without CURRENT", async () => {
    const dataDir = await filledFolder();
    await rm(join(dataDir, "db", "CURRENT"));
    await expectRefusal(dataDir, damaged);
  });

  test("without its database", async () => {
    const dataDir = await filledFolder();
    await rm(join(dataDir, "db"), { recursive: true });
    await expectRefusal(dataDir, damaged);
  });

  test("with an empty database folder", async () => {
    const dataDir = await filledFolder();
    await rm(join(dataDir, "db"), { recursive: true });
    await mkdir(join(dataDir, "db"));
    await expectRefusal(dataDir, damaged);
  });

  test("without a manifest", async () => {
    const dataDir = await filledFolder();
    const manifest = (await readdir(join(dataDir, "db"))).find((name) =>
      name.startsWith("MANIFEST"),
    );
    await rm(join(dataDir, "db", manifest ?? ""));
    await expectRefusal(dataDir, damaged);
  });

  test("without pawl.json", async () => {
    const dataDir = await filledFolder();
    await rm(join(dataDir, "pawl.json"));
    await expect(openEngine({ dataDir })).rejects.toMatchObject(damaged);
    await expect(openEngine({ dataDir })).rejects.toMatchObject(damaged);
    expect(await newestCommit(dataDir)).toBeGreaterThan(0);
    expect(await readdir(dataDir)).not.toContain("pawl.json");
  });

  test("without pawl.json and CURRENT", async () => {
    const dataDir = await filledFolder();
    await rm(join(dataDir, "pawl.json"));
    await rm(join(dataDir, "db", "CURRENT"));
    await expectRefusal(dataDir, damaged);
  });

  test.each([
    ["empty", ""],
    ["cut short", '{"formatVersion":1,"storeId":"x"'],
    ["not JSON", "hello"],
    ["a number", "1"],
    ["null", "null"],
    ["without an id", '{"formatVersion":1,"commit":0}'],
    ["without a commit", '{"formatVersion":1,"storeId":"x"}'],
    ["without a version", '{"storeId":"x","commit":0}'],
    ["with a commit that is none", '{"formatVersion":1,"storeId":"x","commit":1.5}'],
  ])("with a pawl.json that is %s", async (_, text) => {
    const dataDir = await filledFolder();
    await writeFile(join(dataDir, "pawl.json"), text);
    await expectRefusal(dataDir, damaged);
  });

  test("with any one bit of pawl.json changed", async () => {
    const dataDir = await filledFolder();
    const path = join(dataDir, "pawl.json");
    const whole = await readFile(path);
    // The line's end says nothing.
    for (let bit = 0; bit < (whole.length - 1) * 8; bit += 1) {
      const changed = Buffer.from(whole);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await writeFile(path, changed);
      await expect(readSideFile(dataDir), `bit ${bit}`).rejects.toMatchObject({
        code: expect.stringMatching("STORE_DAMAGED|STORE_TOO_NEW"),
      });
    }
  });

  test("of a newer format", async () => {
    const dataDir = await filledFolder();
    const side = JSON.parse(await readFile(join(dataDir, "pawl.json"), "utf8"));
    await writeFile(
      join(dataDir, "pawl.json"),
      JSON.stringify({ ...side, formatVersion: formatVersion + 1 }),
    );
    await expectRefusal(dataDir, {
      code: "STORE_TOO_NEW",
      message: expect.stringContaining(`format ${formatVersion + 1}`),
    });
  });

  test("that holds somebody else's files", async () => {
    const dataDir = await dataFolder();
    await mkdir(dataDir);
    await writeFile(join(dataDir, "notes.txt"), "mine");
    await expectRefusal(dataDir, { ...damaged, message: expect.stringContaining("notes.txt") });
    expect(await readdir(dataDir)).toEqual(["notes.txt"]);
  });

  test("that is a file", async () => {
    const dataDir = await dataFolder();
    await writeFile(dataDir, "mine");
    await expect(openEngine({ dataDir })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(await readFile(dataDir, "utf8")).toBe("mine");
  });
});

describe("lost commits are found", () => {
  test("at the end: the side file knows of a newer one", async () => {
    const dataDir = await filledFolder();
    const newest = await newestCommit(dataDir);
    const side = await readSideFile(dataDir);
    if (side === undefined) throw new Error("there is no side file");
    await writeSideFile(dataDir, { ...side, commit: newest + 1 });
    const refusal = { ...damaged, message: expect.stringContaining(`up to ${newest + 1}`) };
    await expect(openEngine({ dataDir })).rejects.toMatchObject(refusal);
    expect(await newestCommit(dataDir)).toBe(newest);
  });

  test.each([1, 5])("in the middle: commit %i has left no mark", async (lost) => {
    const dataDir = await filledFolder();
    const newest = await newestCommit(dataDir);
    const db = await openDatabase(dataDir);
    await db.del(commitKey(lost + 1));
    await db.close();
    await expect(openEngine({ dataDir })).rejects.toMatchObject({
      ...damaged,
      message: expect.stringContaining(`only ${newest - 1} are there`),
    });
    expect(await newestCommit(dataDir)).toBe(newest - 1);
  });

  test("as a whole: the database is of another, older time", async () => {
    const dataDir = await filledFolder();
    const other = await dataFolder();
    const engine = await openOnDisk(other);
    await engine.start({ workflow: "w" });
    await engine.close();
    await writeFile(join(other, "pawl.json"), await readFile(join(dataDir, "pawl.json")));
    await expect(openEngine({ dataDir: other })).rejects.toMatchObject(damaged);
  });
});

describe("a data folder that cannot be opened", () => {
  const unavailable = {
    code: "STORE_UNAVAILABLE",
    message: expect.stringMatching(/^(?!.*backup).*try again$/),
  };

  test("is not said to be damaged: LevelDB may not have its lock", async () => {
    const dataDir = await filledFolder();
    const lock = join(dataDir, "db", "LOCK");
    await rm(lock);
    await mkdir(lock);
    await expect(openEngine({ dataDir })).rejects.toMatchObject(unavailable);
    await expect(verifyFolder(dataDir)).rejects.toMatchObject(unavailable);
    await rm(lock, { recursive: true });
    await (await openOnDisk(dataDir)).close();
  });

  test.runIf(process.platform === "linux")("is not said to be damaged: it is full", async () => {
    const dataDir = await filledFolder();
    await symlink("/dev/full", join(dataDir, "holder.json"));
    await expect(verifyFolder(dataDir)).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining("ENOSPC"),
    });
    await (await openOnDisk(dataDir)).close();
  });

  test.each([
    ["is not said to be damaged", "LEVEL_IO_ERROR", unavailable],
    ["is said to be, when it is", "LEVEL_CORRUPTION", damaged],
  ])("%s: its marks cannot be read", async (_, code, refusal) => {
    const dataDir = await filledFolder();
    const cause = Object.assign(new Error("a block"), { code });
    const spy = vi.spyOn(AbstractKeyIterator.prototype, "all").mockRejectedValue(cause);
    onTestFinished(() => spy.mockRestore());
    await expect(openEngine({ dataDir })).rejects.toMatchObject(refusal);
    spy.mockRestore();
    await (await openOnDisk(dataDir)).close();
  });

  test("is said to be damaged, and is let go: what it has lost cannot be read", async () => {
    const dataDir = await filledFolder();
    const damage = new EngineError("INSTANCE_DAMAGED", "the store is damaged: a lost block");
    const spy = vi.spyOn(LostBlocks, "read").mockRejectedValue(damage);
    onTestFinished(() => spy.mockRestore());
    await expect(openEngine({ dataDir })).rejects.toMatchObject(damaged);
    expect(await openFilesIn(dataDir)).toEqual([]);
    spy.mockRestore();
    await (await openOnDisk(dataDir)).close();
  });

  test("is not said to have no data: pawl.json cannot be read", async () => {
    const dataDir = await filledFolder();
    await rm(join(dataDir, "pawl.json"));
    await mkdir(join(dataDir, "pawl.json"));
    const refusal = { code: "INVALID_ARGUMENT", message: expect.stringContaining("EISDIR") };
    await expect(openEngine({ dataDir })).rejects.toMatchObject(refusal);
    await expect(verifyFolder(dataDir)).rejects.toMatchObject(refusal);
  });
});

describe("a data folder that is in use", () => {
  test("has the name of its holder up to the end of the lock, and no longer", async () => {
    const dataDir = await filledFolder();
    const { close } = Level.prototype;
    const names: string[][] = [];
    const spy = vi.spyOn(Level.prototype, "close").mockImplementation(async function (this: Level) {
      names.push(await readdir(dataDir));
      await close.call(this);
    });
    onTestFinished(() => spy.mockRestore());
    const engine = await openOnDisk(dataDir);
    expect(await readdir(dataDir)).toContain("holder.json");
    await engine.close();
    expect(names).toHaveLength(1);
    expect(names[0]).not.toContain("holder.json");
  });

  test("is refused with the process that has it", async () => {
    const dataDir = await dataFolder();
    const engine = await openOnDisk(dataDir);
    await expect(openEngine({ dataDir })).rejects.toMatchObject({
      code: "STORE_LOCKED",
      message: expect.stringContaining(`process ${process.pid}`),
      details: { dataDir },
    });
    new ScriptedWorker(engine, { flows });
    await engine.start({ workflow: "echo", instanceId: "a", input: "x" });
    expect((await engine.waitForCompletion("a")).output).toBe("x");
    await engine.close();
    await (await openOnDisk(dataDir)).close();
  });

  test("by another process names that one", async () => {
    const dataDir = await filledFolder();
    const holder = spawn(process.execPath, ["-e", holderCode, join(dataDir, "db")], {
      cwd: import.meta.dirname,
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    const since = new Date(0).toISOString();
    await writeFile(join(dataDir, "holder.json"), JSON.stringify({ pid: holder.pid, since }));
    await expect(openEngine({ dataDir })).rejects.toMatchObject({
      code: "STORE_LOCKED",
      message: expect.stringContaining(`process ${holder.pid}`),
    });
    await writeFile(join(dataDir, "holder.json"), "damaged");
    await expect(openEngine({ dataDir })).rejects.toMatchObject({
      code: "STORE_LOCKED",
      message: expect.stringContaining("another process"),
    });
    holder.stdin.end();
    await once(holder, "exit");
    const engine = await openOnDisk(dataDir);
    expect((await engine.list()).instances).toHaveLength(15);
  });

  test("may be opened after its holder was killed", async () => {
    const dataDir = await filledFolder();
    await writeFile(join(dataDir, "holder.json"), '{"pid":1,"since":"then"}');
    const engine = await openOnDisk(dataDir);
    expect((await engine.list()).instances).toHaveLength(15);
    await engine.close();
    expect(await readdir(dataDir)).not.toContain("holder.json");
  });
});

/** Opens the database named on the command line, says so, and lets it go when its input ends. */
const holderCode = `
const { Level } = require(require.resolve("level", { paths: [process.cwd()] }));
const db = new Level(process.argv[1]);
db.open().then(() => console.log("open"));
process.stdin.resume().on("end", () => db.close().then(() => process.exit(0)));
`;
