// SPDX-License-Identifier: Apache-2.0

// Checks on proto/: lint, breaking changes, and generated code that is not what buf generates.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generatedFolders } from "../source-files.mjs";
import { capture, root } from "../workspace.mjs";

/** The contract as it was last released; `pnpm run contract` records the present one. */
const recordedContract = "proto/pawl.binpb";

/** What `pnpm run generate` runs: one for each generated folder. */
const templates = ["buf.gen.yaml", "tests/conformance/buf.gen.yaml"];

function buf(...bufArguments) {
  return capture(join(root, "node_modules", ".bin", "buf"), bufArguments);
}

function toProblems({ code, output }) {
  return code === 0 ? [] : output.trim().split("\n");
}

/** Our own packages pass buf's STANDARD rules. */
export async function checkContractLint() {
  return toProblems(await buf("lint"));
}

/** Our own packages are compatible with the recorded contract. */
export async function checkContractBreaking() {
  return toProblems(await buf("breaking", "--against", recordedContract));
}

/** The generated code is what buf generates from the protos of today. */
export async function checkGeneratedCode() {
  const scratch = mkdtempSync(join(tmpdir(), "pawl-generate-"));
  try {
    for (const template of templates) {
      const result = await buf("generate", "--template", template, "--output", scratch);
      if (result.code !== 0) return toProblems(result);
    }
    return generatedFolders.flatMap((folder) => {
      const committed = readFolder(join(root, folder));
      const fresh = readFolder(join(scratch, folder));
      const names = [...new Set([...committed.keys(), ...fresh.keys()])].sort();
      return names
        .filter((name) => committed.get(name) !== fresh.get(name))
        .map((name) => `${folder}${name} is out of date; run \`pnpm run generate\``);
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function readFolder(folder) {
  const files = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(
      path.slice(folder.length).replaceAll("\\", "/").replace(/^\//, ""),
      readFileSync(path, "utf8"),
    );
  }
  return files;
}
