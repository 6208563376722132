// SPDX-License-Identifier: Apache-2.0

// The files of this repository, as the checks see them.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./workspace.mjs";

/** Generated code: committed, but neither written nor measured by hand. */
export const generatedFolders = ["packages/protocol/src/gen/", "tests/conformance/src/gen/"];

/** True for a file, relative to the root, that is generated. */
export function isGenerated(file) {
  return generatedFolders.some((folder) => file.startsWith(folder));
}

/** Every file that is committed or would be, relative to the root, without generated ones. */
export function listFiles() {
  const listing = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const files = [...new Set(listing.split("\0"))].sort();
  return files.filter((file) => file !== "" && !isGenerated(file) && existsSync(join(root, file)));
}

/** Hand-written TypeScript and scripts. */
export function listSourceFiles() {
  return listFiles().filter((file) => /\.(ts|mjs)$/.test(file));
}

/** Hand-written code in any language. */
export function listHandWritten() {
  return listFiles().filter(
    (file) => /\.(ts|mjs|js|py|go|java|sh)$/.test(file) || file === ".ci/run",
  );
}

/** The text of a file. */
export function readText(file) {
  return readFileSync(join(root, file), "utf8");
}
