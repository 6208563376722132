// SPDX-License-Identifier: Apache-2.0

// Holds the sizes of files and folders, in any language; figures.mjs has the length of functions.

import { dirname } from "node:path";
import { listHandWritten, readText } from "../source-files.mjs";

const fileLimitLines = 400;
const folderLimitFiles = 15;

/** Files and folders that may be larger, each with its reason. */
const exceptions = new Map([]);

/** No source file is longer than the limit. */
export function checkFileSizes() {
  const problems = [];
  for (const file of listHandWritten()) {
    const lines = readText(file).split("\n").length - 1;
    if (lines > fileLimitLines && !exceptions.has(file)) {
      problems.push(`${file}: ${lines} lines; at most ${fileLimitLines}: split it`);
    }
  }
  return problems;
}

/** No folder holds more source files than the limit; tests are not counted. */
export function checkFolderSizes() {
  const counts = new Map();
  for (const file of listHandWritten()) {
    if (/\.test\.(ts|mjs)$|_test\.go$|(^|\/)test_\w+\.py$/.test(file)) continue;
    counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  }
  return [...counts]
    .filter(([folder, count]) => count > folderLimitFiles && !exceptions.has(folder))
    .map(
      ([folder, count]) =>
        `${folder}: ${count} source files; at most ${folderLimitFiles}: make a folder`,
    );
}
