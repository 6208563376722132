// SPDX-License-Identifier: Apache-2.0

import { access, mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { EngineError, unusable } from "../errors.js";
import { sideFileName } from "./folder-names.js";

/**
 * Version of the format that this code writes. A newer one is refused, an older one upgraded.
 * 2: secondary indexes. 3: rows, inbox events and messages have checksums; those that were written before
 * are read as they are. 4: the index by status has the status first. 5: a history may begin with a chunk of
 * what its execution may see of the histories above it. 6: a message may be an order to purge, without an event.
 * 7: the log of changes says which instances a commit purged.
 */
export const formatVersion = 7;

/** The oldest format with the indexes of today. */
export const indexedFormat = 4;

/** The oldest format whose side file has a checksum. */
const checkedFormat = 3;

/**
 * What a data folder says of itself, in a small synced file beside the database, so that a
 * database which lost its newest writes is found out.
 */
export interface SideFile {
  readonly formatVersion: number;
  /** The store's own id. */
  readonly storeId: string;
  /** A commit that was durable when this was written; the store must have it. */
  readonly commit: number;
  /**
   * How many lost blocks the store knows of, at least: so that their list cannot be lost in silence. It is
   * not there, and the number not known, where an older Pawl wrote the file.
   */
  readonly lostBlocks?: number | undefined;
}

/**
 * Reads the side file; `undefined` when there is none.
 * @throws STORE_DAMAGED, STORE_TOO_NEW; INVALID_ARGUMENT or STORE_UNAVAILABLE when it cannot be read
 */
export async function readSideFile(dataDir: string): Promise<SideFile | undefined> {
  const path = join(dataDir, sideFileName);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw unusable(dataDir, error);
  }
  const found = parse(text);
  if (found === undefined) {
    throw new EngineError("STORE_DAMAGED", `${path} is damaged: restore the folder from a backup`, {
      details: { dataDir },
    });
  }
  if (found.formatVersion > formatVersion) {
    throw new EngineError(
      "STORE_TOO_NEW",
      `${dataDir} was written by a newer Pawl (format ${found.formatVersion}, this one knows ${formatVersion}): use that version`,
      { details: { dataDir } },
    );
  }
  return found;
}

/** Replaces the side file; resolved means that it is on disk. */
export async function writeSideFile(dataDir: string, side: SideFile): Promise<void> {
  const path = join(dataDir, sideFileName);
  const temporary = `${path}.new`;
  const file = await open(temporary, "w");
  try {
    const content = { ...side, checksum: checksumOf(side), lostChecksum: lostChecksumOf(side) };
    await file.writeFile(`${JSON.stringify(content)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(dataDir);
}

/**
 * Makes a folder, and those on the way to it, durable. One by one: Node's own recursive way never
 * returns where a file system says that a folder which exists does not (as /proc does).
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (hasCode(error, "EEXIST")) return;
    const parent = dirname(path);
    if (!hasCode(error, "ENOENT") || parent === path || (await exists(parent))) throw error;
    await makeFolder(parent);
    await mkdir(path);
  }
  await syncFolder(dirname(path));
}

/** True when there is a file or folder of this name. Rejects when that cannot be told. */
export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

/** True for the error of a name that is not there, or cannot be: what should hold it is a file. */
function isAbsent(error: unknown): boolean {
  return hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR");
}

/** Makes what was created in or renamed into a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot sync a folder, and need not.
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function parse(text: string): SideFile | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (!("formatVersion" in value) || !Number.isSafeInteger(value.formatVersion)) return undefined;
  if (!("storeId" in value) || typeof value.storeId !== "string") return undefined;
  if (!("commit" in value) || !Number.isSafeInteger(value.commit)) return undefined;
  const side: SideFile = {
    formatVersion: Number(value.formatVersion),
    storeId: value.storeId,
    commit: Number(value.commit),
    lostBlocks: "lostBlocks" in value ? Number(value.lostBlocks) : undefined,
  };
  // A newer one is refused for that, whatever else it has.
  if (side.formatVersion > formatVersion) return side;
  const lostChecksum = "lostChecksum" in value ? value.lostChecksum : undefined;
  if (lostChecksum !== lostChecksumOf(side)) return undefined;
  if ("checksum" in value) return value.checksum === checksumOf(side) ? side : undefined;
  return side.formatVersion < checkedFormat ? side : undefined;
}

/** CRC-32, so that a changed bit of it is found. */
function checksumOf({ formatVersion, storeId, commit }: SideFile): number {
  return crc32(`${formatVersion} ${storeId} ${commit}`);
}

/** The same of the number of lost blocks, which older ones do not know. */
function lostChecksumOf({ storeId, commit, lostBlocks }: SideFile): number | undefined {
  return lostBlocks === undefined ? undefined : crc32(`${storeId} ${commit} ${lostBlocks}`);
}

/** True for an error of the operating system with this code. */
export function hasCode(error: unknown, code: string): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && error.code === code;
}
