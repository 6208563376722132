// SPDX-License-Identifier: Apache-2.0

import { type StatsListener, unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import { EngineError } from "@pawl/engine";

/** Milliseconds between two looks at a file. */
export const watchIntervalMs = 1000;

/**
 * Calls back whenever one of the files has changed. Looks at them by name from time to time: what a
 * system tells of changes is lost where files are replaced, or are links, as mounted secrets are.
 * @returns how to stop
 */
export function watchFiles(
  files: readonly string[],
  changed: () => void,
  intervalMs: number = watchIntervalMs,
): () => void {
  const listener: StatsListener = () => changed();
  const watched = [...new Set(files)];
  for (const file of watched) {
    watchFile(file, { interval: intervalMs, persistent: false }, listener);
  }
  return () => {
    for (const file of watched) {
      unwatchFile(file, listener);
    }
  };
}

/**
 * Reads a file that the user named.
 * @param flag how the user named it, for the message
 * @throws INVALID_ARGUMENT when it cannot be read
 */
export async function readNamedFile(file: string, flag: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new EngineError("INVALID_ARGUMENT", `${flag}: cannot read ${file}: ${cause}`, {
      cause: error,
    });
  }
}
