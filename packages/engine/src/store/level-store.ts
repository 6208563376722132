// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Level } from "level";
import { EngineError, firstCause, isEngineError, notNow, reasonOf, unusable } from "../errors.js";
import { AbstractStore, type Database, levelCode, type OnUnreadable } from "./abstract-store.js";
import { CommitMarks, checkMarks } from "./commit-marks.js";
import { damaged, isDamage } from "./damaged.js";
import { databaseName, newestCommitName, sideFileName } from "./folder-names.js";
import { buildIndexes } from "./index/index-build.js";
import { instanceIdOf, isRowKey } from "./key.js";
import { findHolder, locked, removeHolder, writeHolder } from "./level/holder.js";
import { FilesDamaged, hasWrites } from "./level/inspect.js";
import { NewestCommitFile } from "./level/newest-commit-file.js";
import { Scrub, type ScrubRate } from "./level/scrub.js";
import { describeLost, LostBlocks } from "./salvage/lost-blocks.js";
import { freeWrite } from "./salvage/lost-keys.js";
import {
  exists,
  formatVersion,
  indexedFormat,
  makeFolder,
  readSideFile,
  type SideFile,
  syncFolder,
  writeSideFile,
} from "./side-file.js";
import { type CheckOptions, inspect, newestKnown, requireSoundFiles } from "./sound-files.js";
import type { Store, StoreWrite } from "./store.js";
import { isBatchKey } from "./store-key.js";

/** How to open a data folder. */
export interface LevelStoreOptions extends CheckOptions {
  /**
   * What is done with a folder of an older format. "now": it is upgraded before it is used. "no": it
   * is left as it is, to be read only. @default "now"
   */
  readonly upgrade?: "now" | "no";
  /** Told of an upgrade: how many instances it has been through. */
  readonly onUpgrade?: (instances: number) => void;
  /** How fast the tables are read while the store is open. @default they are not */
  readonly scrub?: ScrubRate;
  /** Told of a table that is damaged, or was not read. */
  readonly onFault?: (fault: FilesDamaged) => void;
  /** Told of each read that the disk, or the system, refused. Damage that LevelDB finds is none. */
  readonly onUnreadable?: OnUnreadable;
}

/**
 * Opens the store in a data folder, or makes one in a folder that is new or empty. An existing store
 * is never made anew: what is missing is an error, and no file is deleted.
 * @throws STORE_LOCKED, STORE_DAMAGED, STORE_TOO_NEW; INVALID_ARGUMENT for a path that can be no folder;
 *   STORE_UNAVAILABLE when the system does not let it be opened
 */
export async function openLevelStore(
  dataDir: string,
  options: LevelStoreOptions = {},
): Promise<Store> {
  try {
    const side = await readSideFile(dataDir);
    if (side === undefined) return await createStore(dataDir, options);
    await requireSoundFiles(dataDir, side, options);
    return await openMarks(dataDir, await openDatabase(dataDir, false), side, options);
  } catch (error) {
    throw isEngineError(error) && !isDamage(error) ? error : await openError(dataDir, error);
  }
}

/** Checks the commits of a database that this process has now, and makes its store. */
async function openMarks(
  dataDir: string,
  db: Database,
  side: SideFile,
  options: LevelStoreOptions,
): Promise<Store> {
  const { upgrade = "now", onUpgrade = () => {}, onFault = () => {} } = options;
  const { onUnreadable = () => {} } = options;
  let store: Store = new AbstractStore(db);
  try {
    await writeHolder(dataDir);
    // Its opening has made files that the next commit rests on.
    await syncFolder(join(dataDir, databaseName));
    const range = await checkMarks(db, dataDir, newestKnown(dataDir, side));
    const lost = await LostBlocks.read(store);
    const file = new NewestCommitFile(join(dataDir, newestCommitName), side.storeId);
    const marks = new CommitMarks(dataDir, side, range, file);
    const scrub = new Scrub(join(dataDir, databaseName), options.scrub ?? noScrub, onFault);
    const parts: FolderParts = { dataDir, db, marks, scrub, onUnreadable };
    store = lost.isEmpty ? new FolderStore(parts) : new SalvagedStore(parts, lost);
    const lostBlocks = lost.all.length;
    const isPresent = side.formatVersion === formatVersion && side.lostBlocks === lostBlocks;
    if (upgrade === "now" && !isPresent) {
      // The side file says so last: an upgrade that was cut short is begun again.
      if (side.formatVersion < indexedFormat) await buildIndexes(store, onUpgrade);
      await marks.renew({ formatVersion, lostBlocks });
    }
    scrub.open();
    return store;
  } catch (error) {
    await removeHolder(dataDir);
    await store.close();
    throw error;
  }
}

const noScrub: ScrubRate = { bytesPerSecond: 0, firstAfterMs: 0, againAfterMs: 0 };

/** What a store of a folder is made of. */
interface FolderParts {
  readonly dataDir: string;
  readonly db: Database;
  readonly marks: CommitMarks;
  readonly scrub: Scrub;
  readonly onUnreadable: OnUnreadable;
}

/** A store that gives its folder's name free when it closes. */
class FolderStore extends AbstractStore {
  readonly #scrub: Scrub;

  constructor({ dataDir, db, marks, scrub, onUnreadable }: FolderParts) {
    const closing = async (): Promise<void> => {
      await marks.closing();
      // While the folder is still locked: the name is that of whoever has the lock.
      await removeHolder(dataDir);
    };
    const policy = { stamp: () => marks.stamp(), written: () => marks.written(), closing };
    super(db, policy, onUnreadable);
    this.#scrub = scrub;
  }

  override async close(): Promise<void> {
    await Promise.all([this.#scrub.close(), super.close()]);
  }
}

/**
 * A store of which a part was lost once. A row, or that of a batch, that is not there may have been lost:
 * it is not said that there is none. An instance that is deleted is gone for good, whatever was lost.
 */
class SalvagedStore extends FolderStore {
  readonly #lost: LostBlocks;

  constructor(parts: FolderParts, lost: LostBlocks) {
    super(parts);
    this.#lost = lost;
  }

  override async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const value = await super.get(key);
    if (value !== undefined || !(isRowKey(key) || isBatchKey(key))) return value;
    const block = isBatchKey(key) ? this.#lost.find(key) : this.#lost.findRow(instanceIdOf(key));
    if (block === undefined) return undefined;
    throw damaged(`what had the id '${instanceIdOf(key)}' may have been in ${describeLost(block)}`);
  }

  override async write(batch: readonly StoreWrite[]): Promise<void> {
    const freed = batch.flatMap(({ type, key }) => {
      if (type !== "del" || !isRowKey(key)) return [];
      const instanceId = instanceIdOf(key);
      return this.#lost.findRow(instanceId) === undefined ? [] : instanceId;
    });
    await super.write([...batch, ...freed.map(freeWrite)]);
    for (const instanceId of freed) this.#lost.free(instanceId);
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
    const side: SideFile = { formatVersion, storeId: randomUUID(), commit: 0, lostBlocks: 0 };
    await writeSideFile(dataDir, side);
    return side;
  } catch (error) {
    await db.close();
    throw error;
  }
}

const sideNames = [sideFileName, `${sideFileName}.new`, "holder.json", newestCommitName];
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
  const isUnfinished = found instanceof FilesDamaged || found.isManifestTorn;
  if (isUnfinished) await rm(path, { recursive: true });
}

function orphaned(dataDir: string): EngineError {
  return new EngineError(
    "STORE_DAMAGED",
    `${dataDir} has a database but no pawl.json: restore the folder from a backup`,
    { details: { dataDir } },
  );
}

/**
 * Bytes of a log before LevelDB makes a table of it. Rows, marks and index entries are written again within
 * milliseconds: the larger the table, the less of them is merged later. With twice LevelDB's own 4 MiB merging
 * takes a third less CPU time; with more, little less, and writes come to cost more.
 */
const writeBufferSize = 8 * 1024 * 1024;

async function openDatabase(dataDir: string, create: boolean): Promise<Database> {
  const db: Database = new Level<Uint8Array, Uint8Array>(join(dataDir, databaseName), {
    keyEncoding: "buffer",
    valueEncoding: "buffer",
    writeBufferSize,
    createIfMissing: create,
  });
  await db.open();
  return db;
}

/** The error of a folder that cannot be opened, of what the file system, or LevelDB, says of it, or of damage. */
async function openError(dataDir: string, error: unknown): Promise<EngineError> {
  const code = levelCode(error);
  const details = { dataDir };
  const cause = firstCause(error);
  if (!code.startsWith("LEVEL_") && !isDamage(error)) return unusable(dataDir, cause);
  if (code === "LEVEL_LOCKED") return locked(dataDir, await findHolder(dataDir), error);
  const reason = reasonOf(cause);
  // No room, or no right to. Its files were looked at before, and what is wrong with them is refused as damage.
  if (code === "LEVEL_IO_ERROR") return notNow(dataDir, reason, error);
  return new EngineError(
    "STORE_DAMAGED",
    `the data folder ${dataDir} cannot be opened (${reason}): restore it from a backup`,
    { details, cause: error },
  );
}
