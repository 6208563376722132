// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Level } from "level";
import { EngineError, isEngineError } from "../errors.js";
import { AbstractStore, type Database, levelCode } from "./abstract-store.js";
import { CommitMarks, checkMarks } from "./commit-marks.js";
import { buildIndexes } from "./index/index-build.js";
import {
  exists,
  formatVersion,
  makeFolder,
  readHolder,
  readSideFile,
  removeHolder,
  type SideFile,
  syncFolder,
  writeHolder,
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
}

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
    return await openStore(dataDir, options);
  } catch (error) {
    throw isEngineError(error) ? error : unusable(dataDir, error);
  }
}

async function openStore(
  dataDir: string,
  { upgrade = "now", onUpgrade = () => {} }: LevelStoreOptions,
): Promise<Store> {
  const side = await readSideFile(dataDir);
  const [db, known] =
    side === undefined ? await createStore(dataDir) : [await openDatabase(dataDir, false), side];
  let store: Store = new AbstractStore(db);
  try {
    const range = await checkMarks(db, dataDir, known);
    await writeHolder(dataDir);
    const marks = new CommitMarks(dataDir, known, range);
    store = new FolderStore(dataDir, db, marks);
    if (upgrade === "now" && known.formatVersion < formatVersion) {
      // The side file says so last: an upgrade that was cut short is begun again.
      await buildIndexes(store, onUpgrade);
      await marks.upgraded(formatVersion);
    }
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
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
async function createStore(dataDir: string): Promise<[Database, SideFile]> {
  await makeFolder(dataDir);
  await requireOurs(dataDir);
  await requireNoRemains(dataDir);
  const db = await openDatabase(dataDir, true);
  try {
    const written = await db.keys({ limit: 1 }).all();
    if (written.length > 0) throw orphaned(dataDir);
    await syncFolder(join(dataDir, databaseName));
    await syncFolder(dataDir);
    const side: SideFile = { formatVersion, storeId: randomUUID(), commit: 0 };
    await writeSideFile(dataDir, side);
    return [db, side];
  } catch (error) {
    await db.close();
    throw error;
  }
}

const databaseName = "db";
const ownNames = new Set([databaseName, "pawl.json.new", "holder.json"]);

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
 * Refuses a database folder that has data but no CURRENT: LevelDB would make a new database there,
 * and delete the data. CURRENT comes before the first data file, so a making that was cut short has
 * none of these.
 */
async function requireNoRemains(dataDir: string): Promise<void> {
  const path = join(dataDir, databaseName);
  const names = (await exists(path)) ? await readdir(path) : [];
  const hasData = names.some((name) => /\.(ldb|sst|log)$/.test(name));
  if (hasData && !names.includes("CURRENT")) throw orphaned(dataDir);
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
  if (code === "LEVEL_LOCKED") {
    const holder = await readHolder(dataDir);
    const who =
      holder === undefined ? "another process" : `process ${holder.pid} since ${holder.since}`;
    return new EngineError(
      "STORE_LOCKED",
      `the data folder ${dataDir} is in use by ${who}: stop it, or name another folder`,
      { details, cause: error },
    );
  }
  const reason =
    error instanceof Error && error.cause instanceof Error ? error.cause.message : code;
  return new EngineError(
    "STORE_DAMAGED",
    `the data folder ${dataDir} cannot be opened (${reason}): restore it from a backup`,
    { details, cause: error },
  );
}
