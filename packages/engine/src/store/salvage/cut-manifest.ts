// SPDX-License-Identifier: Apache-2.0

import { open } from "node:fs/promises";
import { join } from "node:path";
import { findTornRecord } from "../level/inspect.js";
import { lockDatabase } from "./lock-database.js";

/**
 * Cuts off a record at the end of a manifest that was not finished when the power was cut. Where it is cut
 * short LevelDB passes over it, but where other bytes stand in its place, as a file system may leave them,
 * it refuses the database (db/version_set.cc reports what it finds there as corruption). It was never
 * synced, so nothing rests on it. Throws DatabaseInUse.
 */
export async function cutManifest(dataDir: string, databaseName: string): Promise<void> {
  const unlock = await lockDatabase(dataDir, databaseName);
  try {
    const folder = join(dataDir, databaseName);
    // Looked for again, now that nobody is writing it.
    const torn = await findTornRecord(folder);
    if (torn === undefined) return;
    const file = await open(join(folder, torn.name), "r+");
    try {
      await file.truncate(torn.at);
      await file.sync();
    } finally {
      await file.close();
    }
  } finally {
    await unlock();
  }
}
