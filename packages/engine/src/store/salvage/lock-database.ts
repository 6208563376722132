// SPDX-License-Identifier: Apache-2.0

import { link, mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Level } from "level";
import { levelCode } from "../abstract-store.js";
import { isAlive } from "../level/holder.js";

/** Somebody has the database. */
export class DatabaseInUse extends Error {}

const lockName = /^salvage\.lock-(\d+)$/;

/**
 * Takes the lock of a database without opening it. The lock is the operating system's, on the file
 * LOCK, whatever its name: an empty database that has the same file as its own holds it. What is returned
 * lets it go. Throws DatabaseInUse.
 */
export async function lockDatabase(
  dataDir: string,
  databaseName: string,
): Promise<() => Promise<void>> {
  const folder = join(dataDir, `salvage.lock-${process.pid}`);
  await removeOldLocks(dataDir);
  await mkdir(folder);
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const path = join(dataDir, databaseName, "LOCK");
    await (await open(path, "a")).close();
    await link(path, join(folder, "LOCK"));
    const lock = new Level(folder);
    await lock.open();
    return async () => {
      await lock.close();
      await remove();
    };
  } catch (error) {
    await remove();
    throw levelCode(error) === "LEVEL_LOCKED" ? new DatabaseInUse() : error;
  }
}

/** Removes what processes that have died left, and one of before with this one's number. */
async function removeOldLocks(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    const [, pid] = lockName.exec(name) ?? [];
    if (pid === undefined || (Number(pid) !== process.pid && isAlive(Number(pid)))) continue;
    await rm(join(dataDir, name), { recursive: true, force: true });
  }
}
