// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { copyFile, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Level } from "level";
import { EngineError } from "../errors.js";
import type { BackupPiece } from "../port/local.js";
import { AbstractStore, type Database, synced } from "./abstract-store.js";
import { databaseName } from "./folder-names.js";
import { LostBlocks } from "./salvage/lost-blocks.js";
import { syncFiles } from "./salvage/sync-files.js";
import {
  exists,
  formatVersion,
  makeFolder,
  type SideFile,
  syncFolder,
  writeSideFile,
} from "./side-file.js";
import { del, mark, put } from "./store.js";
import { commitKey, commitOf } from "./store-key.js";

/** What a folder is called before it has its name: `mkdtemp` adds six characters. */
const partialSuffix = ".partial-";
const partialName = /\.partial-[0-9A-Za-z]{6}$/;

/**
 * Checks that `makeDataFolder` has come to its end, where it was it that made a folder.
 * @throws INVALID_ARGUMENT for one that it was killed over: parts of it may be missing
 */
export function requireFinished(dataDir: string): void {
  if (!partialName.test(dataDir)) return;
  throw new EngineError(
    "INVALID_ARGUMENT",
    `${dataDir} is what a backup or restore that was cut short has left, and may lack parts: delete it, and begin that again`,
    { details: { dataDir } },
  );
}

/**
 * Makes a data folder: `fill` makes it in a folder beside, which gets its name when it is whole and on
 * disk. When `fill` throws, nothing is left.
 * @throws INVALID_ARGUMENT when there is something at `dataDir` already
 */
export async function makeDataFolder<T>(
  dataDir: string,
  fill: (folder: string) => Promise<T>,
): Promise<T> {
  await requireFree(dataDir);
  await makeFolder(dirname(dataDir));
  const folder = await mkdtemp(`${dataDir}${partialSuffix}`);
  try {
    const result = await fill(folder);
    // Somebody may have used the name meanwhile; an empty folder gives way.
    await rename(folder, dataDir);
    await syncFolder(dirname(dataDir));
    return result;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** @throws INVALID_ARGUMENT when there is something at `dataDir` already */
export async function requireFree(dataDir: string): Promise<void> {
  if (!(await exists(dataDir))) return;
  const names = await readdir(dataDir).catch(() => ["a file"]);
  if (names.length === 0) return;
  throw new EngineError(
    "INVALID_ARGUMENT",
    `${dataDir} is not empty: name a folder that is new or empty`,
    { details: { dataDir } },
  );
}

/** Writes a database of these entries, and the side file of a new store. */
export async function writeStore(
  folder: string,
  pieces: AsyncIterable<BackupPiece>,
): Promise<void> {
  const db: Database = new Level<Uint8Array, Uint8Array>(join(folder, databaseName), {
    keyEncoding: "buffer",
    valueEncoding: "buffer",
    errorIfExists: true,
  });
  await db.open();
  let commit = 0;
  let lostBlocks = 0;
  try {
    for await (const { entries } of pieces) {
      await db.batch(entries.map(([key, value]) => put(key, value)));
    }
    const range = { gte: commitKey(0), lt: commitKey(Number.MAX_SAFE_INTEGER) };
    const [newest] = await db.keys({ ...range, reverse: true, limit: 1 }).all();
    if (newest !== undefined) commit = commitOf(newest);
    lostBlocks = (await LostBlocks.read(new AbstractStore(db))).all.length;
    // The last write has the newest mark, as in every store.
    const last = mark(commitKey(commit));
    await db.batch([newest === undefined ? del(last.key) : last], synced);
  } finally {
    await db.close();
  }
  // Also a log before the last one, which LevelDB did not come to make a table of.
  await syncFiles(join(folder, databaseName));
  await writeNewSideFile(folder, { formatVersion, commit, lostBlocks });
}

/** Copies files of a database and makes them durable. */
export async function copyDatabase(
  from: string,
  to: string,
  names: readonly string[],
  onProgress: (share: number) => void,
): Promise<void> {
  await makeFolder(to);
  for (const [index, name] of names.entries()) {
    await copyFile(join(from, name), join(to, name));
    onProgress((index + 1) / names.length);
  }
  await syncFiles(to);
}

/** Writes the side file of a store that begins a life of its own: it gets an id of its own. */
export async function writeNewSideFile(
  folder: string,
  facts: Omit<SideFile, "storeId">,
): Promise<void> {
  await writeSideFile(folder, { ...facts, storeId: randomUUID() });
}
