// SPDX-License-Identifier: Apache-2.0

import { join, resolve } from "node:path";
import { EngineError } from "./errors.js";
import type { BackupPiece } from "./port/local.js";
import type { VerifyReport } from "./runtime/read/verify.js";
import { databaseName, newestCommitName } from "./store/folder-names.js";
import { isAlive, locked, readHolder } from "./store/level/holder.js";
import { FilesDamaged, type Inspection, inspectDatabase } from "./store/level/inspect.js";
import { readNewestCommit } from "./store/level/newest-commit-file.js";
import {
  copyDatabase,
  makeDataFolder,
  requireFinished,
  requireFree,
  writeNewSideFile,
  writeStore,
} from "./store/level-copy.js";
import type { SideFile } from "./store/side-file.js";
import { requireSideFile, verifyFolder } from "./verify-folder.js";

/**
 * Makes a data folder of a backup, verifies it, and makes it durable. It opens like any other, with a
 * store id of its own. When the backup ends early or cannot be written, nothing is left.
 * @throws INVALID_ARGUMENT when there is something at `dataDir` already; what `pieces` throws
 */
export async function writeBackup(
  dataDir: string,
  pieces: AsyncIterable<BackupPiece>,
): Promise<VerifyReport> {
  return makeDataFolder(resolve(dataDir), async (folder) => {
    await writeStore(folder, pieces);
    return verifyFolder(folder);
  });
}

/** How to restore. */
export interface RestoreOptions {
  /** Restore also when instances in the backup are damaged; they are parked, as before. @default false */
  readonly allowDamaged?: boolean;
  /** Told how much was copied: 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

/**
 * Makes a new data folder of a backup, or of the folder of a stopped server, and verifies it. The
 * backup is only read. The new store has an id of its own.
 * @throws INVALID_ARGUMENT when there is no backup, or something at `dataDir` already; STORE_LOCKED
 * when a server runs on the backup; STORE_DAMAGED, with what is damaged, when the backup is; STORE_TOO_NEW
 */
export async function restoreFolder(
  backupDir: string,
  dataDir: string,
  options: RestoreOptions = {},
): Promise<VerifyReport> {
  const from = resolve(backupDir);
  requireFinished(from);
  await requireFree(resolve(dataDir));
  const side = await requireSide(from);
  const { fileNames } = await inspectBackup(from);
  const newest = readNewestCommit(join(from, newestCommitName), side.storeId);
  return makeDataFolder(resolve(dataDir), async (folder) => {
    const onProgress = options.onProgress ?? (() => {});
    const to = join(folder, databaseName);
    const copied = copyDatabase(join(from, databaseName), to, fileNames, onProgress);
    // Whoever has begun to use it meanwhile has changed its files.
    await copied.finally(() => requireUnused(from));
    await writeNewSideFile(folder, { ...side, commit: Math.max(side.commit, newest) });
    const report = await verifyFolder(folder);
    if (report.damaged.length > 0 && options.allowDamaged !== true) {
      throw damagedBackup(from, describeDamage(report));
    }
    return report;
  });
}

async function requireSide(backupDir: string): Promise<SideFile> {
  const side = await requireSideFile(backupDir);
  await requireUnused(backupDir);
  return side;
}

/** @throws STORE_LOCKED when a process has the folder */
async function requireUnused(backupDir: string): Promise<void> {
  const holder = await readHolder(backupDir);
  if (holder !== undefined && isAlive(holder.pid)) throw locked(backupDir, holder);
}

async function inspectBackup(backupDir: string): Promise<Inspection> {
  try {
    return await inspectDatabase(join(backupDir, databaseName));
  } catch (error) {
    if (!(error instanceof FilesDamaged)) throw error;
    throw damagedBackup(backupDir, error.message);
  }
}

/** Instances that are named in an error. */
const namedInstances = 5;

function describeDamage({ damaged }: VerifyReport): string {
  const named = damaged.slice(0, namedInstances).map(({ instanceId }) => `'${instanceId}'`);
  const rest = damaged.length - named.length;
  return `${damaged.length} instances are: ${named.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

function damagedBackup(backupDir: string, what: string): EngineError {
  return new EngineError("STORE_DAMAGED", `the backup ${backupDir} is damaged (${what})`, {
    details: { dataDir: backupDir },
  });
}
