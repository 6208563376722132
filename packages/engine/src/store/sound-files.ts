// SPDX-License-Identifier: Apache-2.0

import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EngineError, isEngineError, reasonOf } from "../errors.js";
import { requireCommit } from "./commit-marks.js";
import { databaseName, newestCommitName, sideFileName } from "./folder-names.js";
import { findHolder, isAlive, locked, readHolder } from "./level/holder.js";
import { FilesDamaged, type Inspection, inspectDatabase } from "./level/inspect.js";
import { readNewestCommit } from "./level/newest-commit-file.js";
import { cutManifest } from "./salvage/cut-manifest.js";
import { DatabaseInUse } from "./salvage/lock-database.js";
import { endSalvage, requireSalvageable, type Salvage, salvage } from "./salvage/salvage.js";
import { hasCode, type SideFile } from "./side-file.js";

/** How a database's files are checked before it is opened. */
export interface CheckOptions {
  /**
   * Bytes of tables, newest first, whose checksums are looked at before the store is used; all that is
   * newer than the tables always is. @default 67108864
   */
  readonly checkBytes?: number;
  /**
   * What is done where only tables are damaged. "salvage": what can be read is copied into a new
   * database, and the damaged one lies aside in the folder. "refuse": it is left as it is. @default "refuse"
   */
  readonly onDamage?: OnDamage;
  /** Told how far a salvage is: files done, and how many there are. */
  readonly onSalvage?: (done: number, count: number) => void;
  /** Told what a salvage came to. */
  readonly onSalvaged?: (salvaged: Salvage) => void;
}

/** What is done with a damaged database of which most can be read. */
export type OnDamage = "salvage" | "refuse";

const defaultCheckBytes = 64 * 1024 * 1024;
const wholeDatabase = Number.POSITIVE_INFINITY;

/** The newest commit that is known to be durable. */
export function newestKnown(dataDir: string, side: SideFile): number {
  return Math.max(side.commit, readNewestCommit(join(dataDir, newestCommitName), side.storeId));
}

/** Reads the files of a store before LevelDB may change them. @throws STORE_DAMAGED, STORE_LOCKED */
export async function requireSoundFiles(
  dataDir: string,
  side: SideFile,
  options: CheckOptions,
): Promise<void> {
  const { checkBytes = defaultCheckBytes, onDamage = "refuse" } = options;
  let found = await inspect(dataDir, checkBytes);
  if (found instanceof FilesDamaged && (await endSalvage(dataDir, databaseName))) {
    found = await inspect(dataDir, checkBytes);
  }
  if (!(found instanceof FilesDamaged)) {
    requireCommit(dataDir, newestKnown(dataDir, side), found.newestCommit);
    if (found.isManifestTorn) await cutTornManifest(dataDir);
    return;
  }
  const holder = await readHolder(dataDir);
  // The files of one that is at work cannot be judged.
  if (holder !== undefined && holder.pid !== process.pid && isAlive(holder.pid)) {
    throw locked(dataDir, holder);
  }
  if (!found.isConfined) throw damagedFiles(dataDir, found, "restore it from a backup");
  try {
    const facts = factsOf(dataDir, side);
    if (onDamage === "salvage") return await salvageFiles(dataDir, facts, options);
    await requireSalvageable(facts);
  } catch (error) {
    throw await beyondSaving(dataDir, found, error);
  }
  throw damagedFiles(dataDir, found, adviceToSalvage);
}

/** @throws STORE_LOCKED */
async function cutTornManifest(dataDir: string): Promise<void> {
  try {
    await cutManifest(dataDir, databaseName);
  } catch (error) {
    if (error instanceof DatabaseInUse) throw locked(dataDir, await findHolder(dataDir), error);
    throw error;
  }
}

const adviceToSalvage =
  "restore it from a backup, or serve what can be read with --on-damage salvage";

/** What a salvage goes by. */
function factsOf(dataDir: string, side: SideFile) {
  const { lostBlocks } = side;
  const now = Date.now();
  return { dataDir, databaseName, newestKnown: newestKnown(dataDir, side), lostBlocks, now };
}

/** Puts a new database with all that can be read in the place of a damaged one. Throws what `salvage` throws. */
async function salvageFiles(
  dataDir: string,
  facts: ReturnType<typeof factsOf>,
  { onSalvage = () => {}, onSalvaged = () => {} }: CheckOptions,
): Promise<void> {
  const salvaged = await salvage({
    ...facts,
    sideNames: [sideFileName, newestCommitName],
    onProgress: onSalvage,
    isSound: async () => !((await inspect(dataDir, wholeDatabase)) instanceof FilesDamaged),
  });
  if (salvaged !== undefined) onSalvaged(salvaged);
}

/** The error of a folder that cannot be salvaged, or was not. */
async function beyondSaving(
  dataDir: string,
  found: FilesDamaged,
  error: unknown,
): Promise<EngineError> {
  if (error instanceof DatabaseInUse) return locked(dataDir, await findHolder(dataDir), error);
  if (error instanceof FilesDamaged) {
    const both = new FilesDamaged(found.file, `${found.what}; ${error.message}`);
    return damagedFiles(dataDir, both, "restore it from a backup");
  }
  return isEngineError(error) ? error : unsaved(dataDir, error);
}

function damagedFiles(
  dataDir: string,
  { message, file }: FilesDamaged,
  advice: string,
): EngineError {
  return new EngineError(
    "STORE_DAMAGED",
    `${dataDir} is damaged (${join(databaseName, message)}): ${advice}`,
    { details: { dataDir, file: join(databaseName, file) } },
  );
}

/** A salvage that could not be carried out: no room, for instance. */
function unsaved(dataDir: string, cause: unknown): EngineError {
  const reason = reasonOf(cause);
  return new EngineError(
    "STORE_DAMAGED",
    `${dataDir} is damaged, and what can be read of it cannot be saved (${reason}): it is as it was`,
    { details: { dataDir }, cause },
  );
}

/** Times that files are read, and the pause between: another process may be at work on them. */
const inspections = 5;
const inspectionPauseMs = 60;

/** Reads a database's files, several times where they seem damaged. */
export async function inspect(
  dataDir: string,
  checkBytes: number,
): Promise<Inspection | FilesDamaged> {
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
