// SPDX-License-Identifier: Apache-2.0

// Remembers what a step was done with, so that it is done again only when that has changed.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./workspace.mjs";

const skipped = new Set(["node_modules", "dist", ".turbo", ".cache", "coverage"]);

/** A hash over the contents of files (paths relative to the root); a missing file counts as empty. */
export function hashContents(paths) {
  const hash = createHash("sha256");
  for (const path of paths) {
    hash.update(`${path}\0`);
    try {
      hash.update(readFileSync(join(root, path)));
    } catch {
      hash.update("missing");
    }
    hash.update("\0");
  }
  return hash.digest("hex");
}

/** A hash over names, sizes and times of change of files and of whole folders. Reads no contents. */
export function hashTimes(paths) {
  const hash = createHash("sha256");
  for (const path of paths) addTimes(hash, path);
  return hash.digest("hex");
}

function addTimes(hash, path) {
  const stat = statSync(join(root, path), { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isDirectory()) {
    hash.update(`${path}\0${stat.size}\0${stat.mtimeMs}\0`);
    return;
  }
  for (const entry of readdirSync(join(root, path)).sort()) {
    if (!skipped.has(entry) && !entry.endsWith(".tsbuildinfo")) addTimes(hash, `${path}/${entry}`);
  }
}

/** Reads a stamp; undefined when there is none. `file` is relative to the root. */
export function readStamp(file) {
  try {
    return readFileSync(join(root, file), "utf8");
  } catch {
    return undefined;
  }
}

/** Writes a stamp. */
export function writeStamp(file, value) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), value);
}
