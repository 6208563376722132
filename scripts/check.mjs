// SPDX-License-Identifier: Apache-2.0

// `pnpm check`: everything that CI holds the code to besides its tests. `--report FILE` writes the
// results for scripts/test.mjs.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkEngineArrows, checkPackageArrows } from "./check/boundaries.mjs";
import { checkContractBreaking, checkContractLint, checkGeneratedCode } from "./check/contract.mjs";
import { checkFlags, checkLinks } from "./check/docs.mjs";
import {
  checkCasts,
  checkDocComments,
  checkFileFigures,
  checkFunctionFigures,
  checkOffers,
} from "./check/figures.mjs";
import { checkCorePurity } from "./check/purity.mjs";
import { checkRulesHaveTests, checkRuleTestsExist } from "./check/rules.mjs";
import { checkFileSizes, checkFolderSizes } from "./check/sizes.mjs";
import { checkTestsRun } from "./check/suites.mjs";
import {
  checkErrorDocs,
  checkLicenceLines,
  checkMachinePaths,
  checkRegistryHosts,
} from "./check/text.mjs";
import { runProgram, setUp } from "./setup.mjs";
import { listSourceFiles, readText } from "./source-files.mjs";
import { capture, root } from "./workspace.mjs";

const tool = (name) => join(root, "node_modules", ".bin", name);

async function outputUnlessOk(command, ...commandArguments) {
  const { code, output } = await capture(command, commandArguments);
  return code === 0 ? [] : output.trimEnd().split("\n");
}

/** The tests beside the core alone run every line and branch of it, and no line is left out of account. */
async function checkCoreCoverage() {
  const core = "packages/engine/src/core";
  const leftOut = listSourceFiles()
    .filter(
      (file) => file.startsWith(`${core}/`) && /\b(v8|c8|istanbul) ignore\b/.test(readText(file)),
    )
    .map((file) => `${file}: no line of the core may be left out of its coverage`);
  if (leftOut.length > 0) return leftOut;
  return outputUnlessOk(
    tool("vitest"),
    ...["run", "--project=unit", core, "--reporter=default", "--silent"],
    ...["--coverage", `--coverage.include=${core}/**/*.ts`],
    ...["--coverage.reporter=text", "--coverage.skipFull"],
  );
}

/** Every check: its name, and a function that gives its problems, none when all is well. */
const checks = [
  [
    "format and lint",
    () =>
      outputUnlessOk(tool("biome"), "check", "--error-on-warnings", "--max-diagnostics=200", "."),
  ],
  ["types of tests", () => outputUnlessOk(tool("tsc"), "-p", "tsconfig.test.json")],
  ["nothing unused", () => outputUnlessOk(tool("knip"), "--no-progress")],
  ["contract: lint", checkContractLint],
  ["contract: no breaking change", checkContractBreaking],
  ["contract: generated code is up to date", checkGeneratedCode],
  ["boundaries: packages", checkPackageArrows],
  ["boundaries: inside the engine", checkEngineArrows],
  ["boundaries: the core is pure", checkCorePurity],
  ["sizes: files", checkFileSizes],
  ["sizes: folders", checkFolderSizes],
  ["figures: files are short", checkFileFigures],
  ["figures: functions are short", checkFunctionFigures],
  ["figures: one thing a file", checkOffers],
  ["figures: doc comments", checkDocComments],
  ["figures: few casts", checkCasts],
  ["text: licence lines", checkLicenceLines],
  ["text: no machine paths", checkMachinePaths],
  ["text: no registry hosts", checkRegistryHosts],
  ["docs: every error code", checkErrorDocs],
  ["docs: every link leads somewhere", checkLinks],
  ["docs: every flag, and no other", checkFlags],
  ["rules: every rule has a test", checkRulesHaveTests],
  ["rules: every test exists", checkRuleTestsExist],
  ["suites: every test runs", checkTestsRun],
  ["core: every line and branch is covered", checkCoreCoverage],
];

async function runCheck([name, check]) {
  const startedAt = performance.now();
  let problems;
  try {
    problems = await check();
  } catch (error) {
    problems = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
  const ms = Math.round(performance.now() - startedAt);
  process.stdout.write(`${problems.length === 0 ? "ok    " : "FAILED"} ${name} (${ms} ms)\n`);
  for (const problem of problems) process.stdout.write(`         ${problem}\n`);
  return { name, ok: problems.length === 0 };
}

await runProgram(async () => {
  await setUp();
  const results = [];
  for (const check of checks) results.push(await runCheck(check));
  const reportAt = process.argv.indexOf("--report");
  if (reportAt >= 0) writeFileSync(process.argv[reportAt + 1], JSON.stringify(results));
  const failed = results.filter((result) => !result.ok).length;
  process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`);
  if (failed > 0) process.exitCode = 1;
});
