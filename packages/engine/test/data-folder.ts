// SPDX-License-Identifier: Apache-2.0

import { readdirSync, statSync } from "node:fs";
import { type FileHandle, mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import type { Engine } from "../src/engine.js";
import { openEngine } from "../src/open-engine.js";
import type { EngineOptions } from "../src/options.js";
import { ManualClock } from "./manual-clock.js";

/** A folder for the data of one test; gone afterwards. */
export async function dataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pawl-engine-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "data");
}

/** Opens an engine on disk; closed after the test, if it is still open then. */
export async function openOnDisk(dataDir: string, options: EngineOptions = {}): Promise<Engine> {
  const clock = new ManualClock();
  const engine = await openEngine({ dataDir, clock, commitWaitMs: 0, ...options });
  onTestFinished(() => engine.close());
  return engine;
}

/** The files of a folder, at any depth, with their bytes; without those that only say who has it. */
export async function filesIn(folder: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /^(LOCK|LOG|LOG\.old|holder\.json)$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length + 1), await readFile(path));
  }
  return files;
}

/** A folder with a store that has a few instances, closed. */
export async function filledFolder(): Promise<string> {
  const dataDir = await dataFolder();
  for (let round = 0; round < 3; round += 1) {
    const engine = await openOnDisk(dataDir);
    for (let index = 0; index < 5; index += 1) {
      await engine.start({
        workflow: "w",
        instanceId: `a${round}-${index}`,
        input: "x".repeat(500),
      });
    }
    await engine.close();
  }
  return dataDir;
}

/** Notes the files that are synced from now on, in this test; tells which of a folder's are not. */
export async function watchSyncs(): Promise<(folder: string) => string[]> {
  const synced = new Set<number>();
  const probe = await open(import.meta.filename);
  const prototype: FileHandle = Object.getPrototypeOf(probe);
  await probe.close();
  const { sync } = prototype;
  const spy = vi.spyOn(prototype, "sync");
  onTestFinished(() => spy.mockRestore());
  spy.mockImplementation(async function (this: FileHandle) {
    await sync.call(this);
    synced.add((await this.stat()).ino);
  });
  return (folder) =>
    readdirSync(folder).filter((name) => !synced.has(statSync(join(folder, name)).ino));
}
