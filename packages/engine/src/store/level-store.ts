// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Level } from "level";
import { EngineError, isEngineError } from "../errors.js";
import { AbstractStore, type Database, levelCode } from "./abstract-store.js";
import { CommitMarks, checkMarks, requireCommit } from "./commit-marks.js";
import { buildIndexes } from "./index/index-build.js";
import {
  findHolder,
  isAlive,
  locked,
  readHolder,
  removeHolder,
  writeHolder,
} from "./level/holder.js";
import { FilesDamaged, hasWrites, type Inspection, inspectDatabase } from "./level/inspect.js";
import { NewestCommitFile, readNewestCommit } from "./level/newest-commit-file.js";
import {
  exists,
  formatVersion,
  hasCode,
  makeFolder,
  readSideFile,
  type SideFile,
  syncFolder,
  writeSideFile,
} from "./side-file.js";
import type { Store } from "./store.js";

/** How to open a data folder. */
export interface LevelStoreOptions {
  /**
   * What is done with a folder of an older format. "now": it is upgraded before it is used. "no": it
   * is left as it is, to be read only. @default "now"
   */
  readonly upgrade?: "now" | "no";
  /** Told of an upgrade: how many instances it has been through. */
  readonly onUpgrade?: (instances: number) => void;
  /**
   * Bytes of tables, newest first, whose checksums are looked at before the store is used; all that is
   * newer than the tables always is. @default 67108864
   */
  readonly checkBytes?: number;
}

const defaultCheckBytes = 64 * 1024 * 1024;

/**
 * Opens the store in a data folder, or makes one in a folder that is new or empty. An existing store
 * is never made anew: what is missing is an error, and no file is deleted.
 * @throws STORE_LOCKED, STORE_DAMAGED, STORE_TOO_NEW; INVALID_ARGUMENT for a path that can be no folder
 */
export async function openLevelStore(
  dataDir: string,
  options: LevelStoreOptions = {},
): Promise<Store> {
  try {
    const side = await readSideFile(dataDir);
    if (side === undefined) return await createStore(dataDir, options);
    await requireSoundFiles(dataDir, side, options.checkBytes ?? defaultCheckBytes);
    return await openMarks(dataDir, await openDatabase(dataDir, false), side, options);
  } catch (error) {
    throw isEngineError(error) ? error : unusable(dataDir, error);
  }
}

/** Checks the commits of a database that this process has now, and makes its store. */
async function openMarks(
  dataDir: string,
  db: Database,
  side: SideFile,
  { upgrade = "now", onUpgrade = () => {} }: LevelStoreOptions,
): Promise<Store> {
  let store: Store = new AbstractStore(db);
  try {
    await writeHolder(dataDir);
    // Its opening has made files that the next commit rests on.
    await syncFolder(join(dataDir, databaseName));
    const range = await checkMarks(db, dataDir, newestKnown(dataDir, side));
    const file = new NewestCommitFile(join(dataDir, newestCommitName), side.storeId);
    const marks = new CommitMarks(dataDir, side, range, file);
    store = new FolderStore(dataDir, db, marks);
    if (upgrade === "now" && side.formatVersion < formatVersion) {
      // The side file says so last: an upgrade that was cut short is begun again.
      await buildIndexes(store, onUpgrade);
      await marks.upgraded(formatVersion);
    }
    return store;
  } catch (error) {
    await store.close();
    await removeHolder(dataDir);
    throw error;
  }
}

/** The newest commit that is known to be durable. */
function newestKnown(dataDir: string, side: SideFile): number {
  return Math.max(side.commit, readNewestCommit(join(dataDir, newestCommitName), side.storeId));
}

/** A store that gives its folder's name free when it closes. */
class FolderStore extends AbstractStore {
  readonly #dataDir: string;

  constructor(dataDir: string, db: Database, marks: CommitMarks) {
    super(db, marks);
    this.#dataDir = dataDir;
  }

  override async close(): Promise<void> {
    await super.close();
    await removeHolder(this.#dataDir);
  }
}

/**
 * Makes a store. The side file is written last, when all else is durable: a folder without one has
 * never acknowledged anything, so a making that was cut short may be taken up again.
 */
async function createStore(dataDir: string, options: LevelStoreOptions): Promise<Store> {
  await makeFolder(dataDir);
  await requireOurs(dataDir);
  await clearUnfinished(dataDir);
  const db = await openDatabase(dataDir, true);
  return openMarks(dataDir, db, await sideFileOf(dataDir, db), options);
}

/** The side file of a database that this process has; made now, unless another has made it since. */
async function sideFileOf(dataDir: string, db: Database): Promise<SideFile> {
  try {
    const made = await readSideFile(dataDir);
    if (made !== undefined) return made;
    const written = await db.keys({ limit: 1 }).all();
    if (written.length > 0) throw orphaned(dataDir);
    await syncFolder(join(dataDir, databaseName));
    await syncFolder(dataDir);
    const side: SideFile = { formatVersion, storeId: randomUUID(), commit: 0 };
    await writeSideFile(dataDir, side);
    return side;
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** The database, in the data folder. */
export const databaseName = "db";
/** See `NewestCommitFile`. */
export const newestCommitName = "newest-commit";
const sideNames = ["pawl.json", "pawl.json.new", "holder.json", newestCommitName];
const ownNames = new Set([databaseName, ...sideNames]);

/** Refuses a folder that holds somebody else's files. */
async function requireOurs(dataDir: string): Promise<void> {
  const foreign = (await readdir(dataDir)).find((name) => !ownNames.has(name));
  if (foreign === undefined) return;
  throw new EngineError(
    "STORE_DAMAGED",
    `${dataDir} is not a Pawl data folder and is not empty (it has ${foreign}): name another folder`,
    { details: { dataDir } },
  );
}

/**
 * Refuses a database that has data: LevelDB would make a new one over it, and delete the data. What
 * was left by a making that was cut short, and cannot be opened, goes away; it holds nothing.
 */
async function clearUnfinished(dataDir: string): Promise<void> {
  const path = join(dataDir, databaseName);
  if (!(await exists(path))) return;
  if (await hasWrites(path)) {
    if ((await readSideFile(dataDir)) === undefined) throw orphaned(dataDir);
    return;
  }
  if (!(await exists(join(path, "CURRENT")))) return;
  const found = await inspect(dataDir, 0);
  if (found instanceof FilesDamaged) await rm(path, { recursive: true });
}

/** Reads the files of a store before LevelDB may change them. @throws STORE_DAMAGED, STORE_LOCKED */
async function requireSoundFiles(
  dataDir: string,
  side: SideFile,
  checkBytes: number,
): Promise<void> {
  const found = await inspect(dataDir, checkBytes);
  if (!(found instanceof FilesDamaged)) {
    const { newestCommit } = found;
    if (newestCommit !== undefined)
      requireCommit(dataDir, newestKnown(dataDir, side), newestCommit);
    return;
  }
  const holder = await readHolder(dataDir);
  // The files of one that is at work cannot be judged.
  if (holder !== undefined && holder.pid !== process.pid && isAlive(holder.pid)) {
    throw locked(dataDir, holder);
  }
  throw new EngineError(
    "STORE_DAMAGED",
    `${dataDir} is damaged (${join(databaseName, found.message)}): restore it from a backup`,
    { details: { dataDir, file: join(databaseName, found.file) } },
  );
}

/** Times that files are read, and the pause between: another process may be at work on them. */
const inspections = 5;
const inspectionPauseMs = 60;

async function inspect(dataDir: string, checkBytes: number): Promise<Inspection | FilesDamaged> {
  for (let round = 1; ; round += 1) {
    try {
      return await inspectDatabase(join(dataDir, databaseName), checkBytes);
    } catch (error) {
      const damage = error instanceof FilesDamaged ? error : vanished(error);
      if (round === inspections) return damage;
    }
    await sleep(inspectionPauseMs);
  }
}

/** A file that was listed and is not there is damage too. @throws whatever else it is */
function vanished(error: unknown): FilesDamaged {
  if (!hasCode(error, "ENOENT")) throw error;
  return new FilesDamaged(basename(String(error.path ?? "a file")), "is missing");
}

function orphaned(dataDir: string): EngineError {
  return new EngineError(
    "STORE_DAMAGED",
    `${dataDir} has a database but no pawl.json: restore the folder from a backup`,
    { details: { dataDir } },
  );
}

async function openDatabase(dataDir: string, create: boolean): Promise<Database> {
  const db: Database = new Level<Uint8Array, Uint8Array>(join(dataDir, databaseName), {
    keyEncoding: "buffer",
    valueEncoding: "buffer",
    createIfMissing: create,
  });
  try {
    await db.open();
    return db;
  } catch (error) {
    throw await openError(dataDir, error);
  }
}

/** The error of a path where no folder can be made, read or written. */
function unusable(dataDir: string, cause: unknown): EngineError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new EngineError(
    "INVALID_ARGUMENT",
    `the data folder ${dataDir} cannot be used (${reason}): name another folder`,
    { details: { dataDir }, cause },
  );
}

async function openError(dataDir: string, error: unknown): Promise<EngineError> {
  const code = levelCode(error);
  const details = { dataDir };
  if (code === "LEVEL_LOCKED") return locked(dataDir, await findHolder(dataDir), error);
  const reason =
    error instanceof Error && error.cause instanceof Error ? error.cause.message : code;
  return new EngineError(
    "STORE_DAMAGED",
    `the data folder ${dataDir} cannot be opened (${reason}): restore it from a backup`,
    { details, cause: error },
  );
}
