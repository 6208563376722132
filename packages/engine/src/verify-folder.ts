// SPDX-License-Identifier: Apache-2.0

import { resolve } from "node:path";
import { EngineError } from "./errors.js";
import { type VerifyReport, verifyStore } from "./runtime/read/verify.js";
import { openLevelStore } from "./store/level-store.js";
import { indexedFormat, readSideFile } from "./store/side-file.js";

/**
 * Reads a data folder whole and says what is damaged. Changes nothing of the user's; the folder must
 * not be in use. `onProgress` is told of the number of instances read so far.
 * @throws INVALID_ARGUMENT when there is no Pawl data; STORE_LOCKED; STORE_DAMAGED; STORE_TOO_NEW
 */
export async function verifyFolder(
  dataDir: string,
  onProgress: (instances: number) => void = () => {},
): Promise<VerifyReport> {
  const folder = resolve(dataDir);
  // Opening a folder that has no store would make one.
  const side = await readSideFile(folder).catch(unlessOurs);
  if (side === undefined) {
    throw new EngineError("INVALID_ARGUMENT", `${folder} has no Pawl data (no pawl.json in it)`, {
      details: { dataDir: folder },
    });
  }
  const store = await openLevelStore(folder, {
    upgrade: "no",
    checkBytes: Number.POSITIVE_INFINITY,
  });
  try {
    return await verifyStore(store, onProgress, side.formatVersion >= indexedFormat);
  } finally {
    await store.close();
  }
}

/** What the file system says of a path that is no folder is the same as "no data". */
function unlessOurs(error: unknown): undefined {
  if (error instanceof EngineError) throw error;
  return undefined;
}
