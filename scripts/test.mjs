// SPDX-License-Identifier: Apache-2.0

// `npm test`: sets up what is needed, runs every suite, and ends with one line of counts.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addCounts, addFailure, emptyCounts } from "./counts.mjs";
import { readReport } from "./report.mjs";
import { runProgram, SetupError, setUp } from "./setup.mjs";
import { suites } from "./suites.mjs";
import { root, run, toolEnvironment } from "./workspace.mjs";

const inCi = process.env.CI === "true";
const reportFolder = join(root, ".cache", "reports");
/** The last line, for whoever must not take a part of the output for it. */
const countsFile = join(reportFolder, "counts");
/** Ends a suite whose runner hangs, so that the others run, and the failure has a name. */
const suiteLimitMs = 30 * 60_000;

function printHelp() {
  const rows = suites.map((suite) => `  ${suite.name.padEnd(20)} ${suite.title}`);
  process.stdout.write(`Usage: npm test -- [SUITE…] [--help]

Sets up what is needed and runs the suites named, or all, one after the other:
${rows.join("\n")}

A suite, or a test, whose tool (Python, Go, curl …) is not installed is skipped and counted so;
with CI=true it fails, as does a suite in which a test was skipped. \`check\` runs only with CI=true or by name. To run a few tests, use vitest
itself: node_modules/.bin/vitest run --project unit PART-OF-A-PATH

The last line is "N passed, N failed", and ", N skipped" if any. Exit code 0: nothing failed.
`);
}

function selectSuites(names) {
  if (names.length === 0) return suites.filter((suite) => inCi || !suite.ciOnly);
  return names.map((name) => {
    const found = suites.find((suite) => suite.name === name);
    if (found !== undefined) return found;
    const known = suites.map((suite) => suite.name).join(", ");
    throw new SetupError(`there is no suite "${name}"; there are: ${known}`);
  });
}

/** Finds a suite's tools. Resolves with variables for its environment and what is missing. */
async function findTools(wanted) {
  const found = {};
  const missing = [];
  for (const [variable, find] of Object.entries(wanted)) {
    try {
      found[variable] = await find();
    } catch (error) {
      missing.push(error.message);
    }
  }
  return { found, missing };
}

async function runSuite(suite) {
  const required = await findTools(suite.required);
  const optional = await findTools(suite.optional);
  const missing = inCi ? [...required.missing, ...optional.missing] : required.missing;
  if (missing.length > 0) {
    const reason = missing.join("; ");
    process.stdout.write(`${inCi ? "FAILED" : "SKIPPED"}: ${reason}\n`);
    if (!inCi) return { ...emptyCounts(), skipped: 1 };
    return addFailure(reason);
  }
  for (const reason of optional.missing)
    process.stdout.write(`some tests are skipped: ${reason}\n`);
  const tools = { ...required.found, ...optional.found };
  const report = join(reportFolder, suite.name);
  rmSync(report, { force: true, recursive: true });
  const [program, programArguments] = suite.command(report, tools);
  const exitCode = await run(program, programArguments, {
    env: toolEnvironment(tools),
    timeout: suiteLimitMs,
    killSignal: "SIGKILL",
  });
  const counts = readReport(suite.parse, report, exitCode);
  if (!inCi || counts.skipped === 0) return counts;
  return addFailure(`${counts.skipped} skipped: in CI every test runs`, counts);
}

function printSummary(results) {
  process.stdout.write("\n");
  for (const { suite, counts, seconds } of results) {
    const { passed, failed, skipped } = counts;
    const line = `${String(passed).padStart(6)} passed ${String(failed).padStart(4)} failed ${String(skipped).padStart(4)} skipped`;
    process.stdout.write(`${suite.name.padEnd(20)}${line} ${seconds.toFixed(0).padStart(6)} s\n`);
    for (const name of counts.failures) process.stdout.write(`    failed: ${name}\n`);
  }
  const sum = addCounts(results.map((result) => result.counts));
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : "";
  const line = `${sum.passed} passed, ${sum.failed} failed${skipped}\n`;
  writeFileSync(countsFile, line);
  process.stdout.write(`\n${line}`);
  return sum;
}

async function runSuites(selected) {
  await setUp();
  mkdirSync(reportFolder, { recursive: true });
  const results = [];
  for (const [index, suite] of selected.entries()) {
    process.stdout.write(
      `\n=== ${suite.name} (${index + 1} of ${selected.length}): ${suite.title}\n`,
    );
    const startedAt = performance.now();
    const counts = await runSuite(suite);
    results.push({ suite, counts, seconds: (performance.now() - startedAt) / 1000 });
  }
  const sum = printSummary(results);
  if (sum.failed > 0) process.exitCode = 1;
}

await runProgram(async () => {
  const names = process.argv.slice(2);
  if (names.includes("--help") || names.includes("-h")) printHelp();
  else await runSuites(selectSuites(names));
});
