// SPDX-License-Identifier: Apache-2.0

import type { ServerLogger } from "../options.js";
import { type FileList, listFiles, watchFiles } from "./watched-file.js";

/** What is read of files that may change while a server runs. */
export interface ReloadedFile<T> {
  /** For the log: "tokens", "policy". */
  readonly what: string;
  /** None: nothing is watched. */
  readonly files: FileList;
  /** Reads them; rejects when they are not good. */
  readonly read: () => Promise<T>;
  /** Takes what was read anew. */
  readonly changed: (value: T) => void | Promise<void>;
  readonly reloadIntervalMs: number;
  readonly log: ServerLogger;
}

/** What files said when they were last read and good. */
export interface Reloaded<T> {
  readonly value: T;
  /** Looks after them no more. */
  stop(): void;
}

/**
 * Reads files, and again whenever one of them changes, be it before this resolves. Files that cannot be read
 * any more, or have mistakes, change nothing: the log says so, and what they said before stays.
 * Rejects with what `read` rejects with at the start.
 */
export async function openReloaded<T>(options: ReloadedFile<T>): Promise<Reloaded<T>> {
  const { what, read, changed, log } = options;
  let newest: { readonly value: T } | undefined;
  const reload = async (): Promise<void> => {
    const files = await listFiles(options.files);
    const before = newest;
    try {
      const value = await read();
      newest = { value };
      await changed(value);
      log.info({ files }, `${what} reloaded`);
    } catch (error) {
      newest = before;
      const reason = error instanceof Error ? error.message : String(error);
      log.error({ files, reason }, `${what} not reloaded; the old ones stay`);
    }
  };
  // Watched before they are read, so that no change falls in between.
  const stop = await watchFiles(options.files, reload, options.reloadIntervalMs);
  try {
    const first = await read();
    return {
      get value() {
        return newest === undefined ? first : newest.value;
      },
      stop,
    };
  } catch (error) {
    stop();
    throw error;
  }
}
