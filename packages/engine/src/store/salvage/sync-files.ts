// SPDX-License-Identifier: Apache-2.0

import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { syncFolder } from "../side-file.js";

/** Makes the files in a folder durable, and their names. */
export async function syncFiles(path: string): Promise<void> {
  for (const name of await readdir(path)) {
    const file = await open(join(path, name), "r+");
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
  await syncFolder(path);
}
