// SPDX-License-Identifier: Apache-2.0

import { copyFile, mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { LostBlock } from "@pawl/protocol/store";
import { Level } from "level";
import { MemoryLevel } from "memory-level";
import { AbstractStore, type Database, synced } from "../abstract-store.js";
import { requireCommit } from "../commit-marks.js";
import { isInPartition } from "../key.js";
import { FilesDamaged } from "../level/inspect.js";
import { exists, hasCode, makeFolder, syncFolder } from "../side-file.js";
import { mark, type StoreWrite } from "../store.js";
import { changeKey, commitKey } from "../store-key.js";
import { type Copied, copyReadable } from "./copy-readable.js";
import { lockDatabase } from "./lock-database.js";
import { LostBlocks } from "./lost-blocks.js";
import { freeRange, lostKey, lostRange, unmendedKey } from "./lost-keys.js";
import { syncFiles } from "./sync-files.js";

// A damaged database is never opened: LevelDB may end the process on what it finds in it, and drop what
// it cannot read when it compacts. What can be read is copied into a new one, and the damaged one lies
// aside, byte for byte as it was found, with the side files that belong to it.

/** What a salvage found, and did. */
export interface Salvage {
  /** The folder in which the damaged database lies now, in the data folder. */
  readonly aside: string;
  readonly lost: readonly LostBlock[];
}

/** What to salvage. */
export interface SalvageOptions {
  readonly dataDir: string;
  /** The database's folder in it. */
  readonly databaseName: string;
  /** Small files that belong to the database: copied aside with it. */
  readonly sideNames: readonly string[];
  /** The newest commit that is known of. */
  readonly newestKnown: number;
  /** Lost blocks that it knows of, at least; undefined: nobody knows. */
  readonly lostBlocks: number | undefined;
  readonly now: number;
  /** Told of the files that are done, and of how many there are. */
  readonly onProgress: (done: number, count: number) => void;
  /** True when, with the database locked, it turns out to be sound: another process was faster. */
  readonly isSound: () => Promise<boolean>;
}

const newSuffix = ".salvaged";

const binary = { keyEncoding: "buffer", valueEncoding: "buffer" } as const;

/**
 * Puts a new database with all that can be read in the place of a damaged one. Undefined: it is sound by
 * now. When it throws, nothing has changed. Throws DatabaseInUse; FilesDamaged when more than tables is damaged,
 * or too much of them.
 * @throws STORE_DAMAGED when acknowledged commits are missing beside what was lost
 */
export async function salvage(options: SalvageOptions): Promise<Salvage | undefined> {
  const { dataDir, databaseName } = options;
  const unlock = await lockDatabase(dataDir, databaseName);
  try {
    if (await options.isSound()) return undefined;
    const made = join(dataDir, `${databaseName}${newSuffix}`);
    await rm(made, { recursive: true, force: true });
    try {
      const aside = await freeName(dataDir, options.now);
      const lost = await fill(made, aside, options);
      await swap(aside, made, options);
      return { aside, lost };
    } catch (error) {
      await rm(made, { recursive: true, force: true });
      throw error;
    }
  } finally {
    await unlock();
  }
}

/**
 * Reads what a salvage would read, and throws what it would throw of it: FilesDamaged when more than tables is
 * damaged, or too much of them. No file is made or changed.
 * @throws STORE_DAMAGED when acknowledged commits are missing beside what was lost
 */
export async function requireSalvageable(
  options: Omit<SalvageOptions, "sideNames" | "isSound" | "onProgress">,
): Promise<void> {
  const db: Database = new MemoryLevel<Uint8Array, Uint8Array>(binary);
  await db.open();
  try {
    const from = join(options.dataDir, options.databaseName);
    // What the store says of itself is little, and decides.
    const isWanted = (key: Uint8Array): boolean => !isInPartition(key);
    const more = { from, fileFolder: options.databaseName, isWanted, onProgress: () => {} };
    await requireEnough(db, await copyReadable(db, { ...options, ...more }), options);
  } finally {
    await db.close();
  }
}

/**
 * Ends a salvage that was cut short between the two renames of its end: the damaged database lies aside,
 * and the whole new one has not got its name. False: there is none.
 */
export async function endSalvage(dataDir: string, databaseName: string): Promise<boolean> {
  const made = join(dataDir, `${databaseName}${newSuffix}`);
  if ((await exists(join(dataDir, databaseName))) || !(await exists(made))) return false;
  await rename(made, join(dataDir, databaseName));
  await syncFolder(dataDir);
  return true;
}

/** Makes the new database; resolved means that it is on disk. */
async function fill(
  made: string,
  aside: string,
  options: SalvageOptions,
): Promise<readonly LostBlock[]> {
  const { dataDir, databaseName, newestKnown } = options;
  await makeFolder(made);
  const db: Database = new Level<Uint8Array, Uint8Array>(made, { ...binary, errorIfExists: true });
  await db.open();
  try {
    const from = join(dataDir, databaseName);
    const copied = await copyReadable(db, {
      ...options,
      from,
      fileFolder: `${aside}/${databaseName}`,
    });
    const known = await requireEnough(db, copied, options);
    await renewBooks(db, copied, known, Math.max(newestKnown, copied.newestCommit));
    return copied.lost.all;
  } finally {
    await db.close();
    // Also a log before the last one, which LevelDB did not come to make a table of.
    await syncFiles(made);
  }
}

/**
 * What was lost before. Throws FilesDamaged when too much is lost now.
 * @throws STORE_DAMAGED when acknowledged commits are missing beside what was lost
 */
async function requireEnough(
  db: Database,
  { lost, newestCommit, newestInLogs }: Copied,
  {
    dataDir,
    newestKnown,
    lostBlocks,
  }: Pick<SalvageOptions, "dataDir" | "newestKnown" | "lostBlocks">,
): Promise<LostBlocks> {
  const hidingAll = lost.findHidingAll();
  if (hidingAll !== undefined) throw beyondSaving(hidingAll, "may have had any instance");
  // Its mark may have been in what was lost; any other that is missing is another loss. Logs are newer
  // than tables: where they have marks, the newest is there.
  if (newestInLogs > 0 || !lost.names(commitKey(newestKnown))) {
    requireCommit(dataDir, newestKnown, newestCommit);
  }
  return readList(db, lost, lostBlocks);
}

/** What was lost before. Throws FilesDamaged when some of this was lost, too. */
async function readList(
  db: Database,
  lost: LostBlocks,
  atLeast: number | undefined,
): Promise<LostBlocks> {
  const known = await LostBlocks.read(new AbstractStore(db));
  const count = known.all.length;
  const [block] = lost.all;
  if (block === undefined) return known;
  const [last] = await db.keys({ ...lostRange, reverse: true, limit: 1 }).all();
  const isWhole =
    atLeast === undefined ? lost.find(lostKey(count)) === undefined : count >= atLeast;
  // They are numbered from 0 on.
  const hasGap = last !== undefined && Buffer.compare(last, lostKey(count - 1)) !== 0;
  if (isWhole && !hasGap) return known;
  throw beyondSaving(block, "may have had the list of what was lost before");
}

/**
 * Writes what the store says of itself: what it has lost, and its commits and changes, whose numbers go on
 * from where they surely have not been.
 */
async function renewBooks(
  db: Database,
  { lost }: Copied,
  known: LostBlocks,
  commit: number,
): Promise<void> {
  for (const each of lost.all) known.add(each);
  for (const id of lost.freeIds) known.free(id);
  const changes = { gte: changeKey(0), lt: changeKey(Number.MAX_SAFE_INTEGER) };
  const writes: StoreWrite[] = [...known.writes(), mark(commitKey(commit)), mark(unmendedKey)];
  if (lost.findIn(changes) !== undefined) {
    await db.clear(changes);
    // There are never more changes than commits.
    writes.push(mark(changeKey(commit + 1)));
  }
  await db.clear(freeRange);
  await db.clear({ gte: commitKey(0), lt: commitKey(Number.MAX_SAFE_INTEGER) });
  await db.batch(writes, synced);
}

/** Too much may have been lost: what is left could not be told from what is wrong. */
function beyondSaving({ file }: LostBlock, what: string): FilesDamaged {
  return new FilesDamaged(basename(file), what);
}

/** Lays the damaged database aside and gives the new one its name. */
async function swap(aside: string, made: string, options: SalvageOptions): Promise<void> {
  const { dataDir, databaseName, sideNames } = options;
  const folder = join(dataDir, aside);
  await mkdir(folder);
  for (const name of sideNames) {
    await copyFile(join(dataDir, name), join(folder, name)).catch(unlessMissing);
  }
  await rename(join(dataDir, databaseName), join(folder, databaseName));
  await rename(made, join(dataDir, databaseName));
  await syncFolder(folder);
  await syncFolder(dataDir);
}

/** A name that nothing in the folder has. */
async function freeName(dataDir: string, now: number): Promise<string> {
  const name = `damaged-${new Date(now).toISOString().replaceAll(":", "-").slice(0, 19)}`;
  const taken = new Set(await readdir(dataDir));
  for (let number = 1; ; number += 1) {
    const next = number === 1 ? name : `${name}.${number}`;
    if (!taken.has(next)) return next;
  }
}

/** @throws any other error */
function unlessMissing(error: unknown): void {
  if (!hasCode(error, "ENOENT")) throw error;
}
