// SPDX-License-Identifier: Apache-2.0

import { readFile, stat } from "node:fs/promises";
import { EngineError } from "@pawl/engine";

/** Milliseconds between two looks at a file. */
export const watchIntervalMs = 1000;

/** Files to look at: always the same, or to be listed anew each time. */
export type FileList = readonly string[] | (() => Promise<readonly string[]>);

/** The files of a list as they are now. */
export async function listFiles(files: FileList): Promise<readonly string[]> {
  return typeof files === "function" ? files() : files;
}

/**
 * Calls back whenever one of the files has changed since the returned promise resolved, or the list
 * has, one call at a time, and not before two looks found the same: a file that is being written may
 * be empty for a moment, which must not be taken for what it says. Looks at them by name from time to
 * time: what a system tells of changes is lost where files are replaced, or are links, as mounted
 * secrets are.
 * @returns how to stop
 */
export async function watchFiles(
  files: FileList,
  changed: () => Promise<void>,
  intervalMs: number,
): Promise<() => void> {
  let known = await describeFiles(files);
  let seen = known;
  let isBusy = false;
  const look = async (): Promise<void> => {
    const now = await describeFiles(files);
    const isSettled = now === seen;
    seen = now;
    if (now === known || !isSettled) return;
    known = now;
    await changed();
  };
  const timer = setInterval(() => {
    if (!isBusy) {
      isBusy = true;
      void look().finally(() => {
        isBusy = false;
      });
    }
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** A text that changes whenever one of the files does. */
async function describeFiles(files: FileList): Promise<string> {
  const listed = await listFiles(files);
  const facts = listed.map((file) =>
    stat(file, { bigint: true }).then(
      ({ dev, ino, size, mtimeNs, ctimeNs }) => [file, dev, ino, size, mtimeNs, ctimeNs].join(),
      () => file,
    ),
  );
  return (await Promise.all(facts)).join(";");
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
