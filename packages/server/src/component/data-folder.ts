// SPDX-License-Identifier: Apache-2.0

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** The folder, in the server's data folder, that has one folder for each component. */
export const componentsFolderName = "components";

/** Where a component's data is, unless its file says otherwise. */
export function componentFolder(dataDir: string, name: string): string {
  return join(dataDir, componentsFolderName, name);
}

/** The names of components that have data in a server's data folder, in order. */
export async function listKeptComponents(dataDir: string): Promise<string[]> {
  const folder = join(dataDir, componentsFolderName);
  const names = await readdir(folder).catch(() => []);
  const kept = await Promise.all(
    names.map((name) =>
      stat(join(folder, name, "pawl.json")).then(
        () => [name],
        () => [],
      ),
    ),
  );
  return kept.flat().sort();
}
