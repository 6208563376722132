// SPDX-License-Identifier: Apache-2.0

import { resolve } from "node:path";
import { EngineError } from "./errors.js";
import { type VerifyReport, verifyStore } from "./runtime/read/verify.js";
import { buildIndexes } from "./store/index/index-build.js";
import { openLevelStore } from "./store/level-store.js";
import { indexedFormat, readSideFile, type SideFile } from "./store/side-file.js";

/** How to verify a data folder. */
export interface VerifyOptions {
  /**
   * First make all indexes anew from the rows, whatever is in them. Nothing else is changed; a folder
   * of an older format is upgraded. @default false
   */
  readonly rebuildIndexes?: boolean;
}

/**
 * Reads a data folder whole and says what is damaged. Changes nothing of the user's, unless the indexes are to
 * be made anew; the folder must not be in use. `onProgress` is told of the number of instances read so far.
 * @throws INVALID_ARGUMENT when there is no Pawl data; STORE_LOCKED; STORE_DAMAGED; STORE_TOO_NEW;
 *   STORE_UNAVAILABLE when the system does not let it be opened
 */
export async function verifyFolder(
  dataDir: string,
  onProgress: (instances: number) => void = () => {},
  { rebuildIndexes = false }: VerifyOptions = {},
): Promise<VerifyReport> {
  const folder = resolve(dataDir);
  // Opening a folder that has no store would make one.
  const side = await requireSideFile(folder);
  const store = await openLevelStore(folder, {
    upgrade: rebuildIndexes ? "now" : "no",
    checkBytes: Number.POSITIVE_INFINITY,
  });
  try {
    const isIndexed = side.formatVersion >= indexedFormat;
    if (!rebuildIndexes) return await verifyStore(store, onProgress, isIndexed);
    // An upgrade to the format with indexes has just made them.
    if (isIndexed) await buildIndexes(store);
    return await verifyStore(store, onProgress);
  } finally {
    await store.close();
  }
}

/** The side file. @throws INVALID_ARGUMENT when there is none, and what `readSideFile` throws */
export async function requireSideFile(dataDir: string): Promise<SideFile> {
  const side = await readSideFile(dataDir);
  if (side !== undefined) return side;
  throw new EngineError("INVALID_ARGUMENT", `${dataDir} has no Pawl data (no pawl.json in it)`, {
    details: { dataDir },
  });
}
