// SPDX-License-Identifier: Apache-2.0

// Holds the files of tests to the suites that run them: one that none runs would pass for ever.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { listFiles } from "../source-files.mjs";
import { suites } from "../suites.mjs";
import { capture, root } from "../workspace.mjs";

/** Every file of tests belongs to a project of Vitest's, and every project to a suite of `npm test`. */
export async function checkTestsRun() {
  const scratch = mkdtempSync(join(tmpdir(), "pawl-suites-"));
  try {
    const list = join(scratch, "list.json");
    const vitest = join(root, "node_modules", ".bin", "vitest");
    const { code, output } = await capture(vitest, ["list", "--filesOnly", `--json=${list}`]);
    if (code !== 0) return output.trimEnd().split("\n");
    const projects = new Map(
      JSON.parse(readFileSync(list, "utf8")).map(({ file, projectName }) => [
        relative(root, file).replaceAll(sep, "/"),
        projectName,
      ]),
    );
    const files = listFiles().filter((file) => /\.(test|spec)\.([cm]?[jt]sx?)$/.test(file));
    return files.flatMap((file) => findIdle(file, projects.get(file)));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function findIdle(file, project) {
  if (project === undefined) return [`${file}: never runs; no project of vitest.config.ts has it`];
  if (suites.some((suite) => suite.project === project)) return [];
  return [`${file}: never runs; no suite of scripts/suites.mjs has the project ${project}`];
}
