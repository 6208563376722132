// SPDX-License-Identifier: Apache-2.0

// Reads what test runners report. Each parser gives counts (counts.mjs).

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { addCounts, addFailure, emptyCounts } from "./counts.mjs";

/** The texts of a report: a file, or a folder with one XML file a class, as Surefire leaves it. */
function readTexts(file) {
  if (!statSync(file).isDirectory()) return [readFileSync(file, "utf8")];
  const names = readdirSync(file).filter((name) => name.endsWith(".xml"));
  return names.map((name) => readFileSync(join(file, name), "utf8"));
}

/**
 * Reads the report that a suite left, and holds it against the runner's exit code: a runner that
 * left no report, or one that was cut off, ran no test, or failed without naming a test counts as
 * one failure.
 */
export function readReport(parse, file, exitCode) {
  const code = `exit code ${exitCode}`;
  if (!existsSync(file)) return addFailure(`the runner left no report (${code})`);
  let counts;
  try {
    counts = addCounts(readTexts(file).map(parse));
  } catch (error) {
    return addFailure(`the runner's report cannot be read (${code}): ${error.message}`);
  }
  const total = counts.passed + counts.failed + counts.skipped;
  if (total === 0) return addFailure(`no test ran (${code})`);
  if (exitCode !== 0 && counts.failed === 0) {
    return addFailure(`the runner ended with code ${exitCode}`, counts);
  }
  return counts;
}

/** Vitest's JSON report. A file that could not be loaded counts as one failure. */
export function parseVitest(text) {
  const counts = emptyCounts();
  for (const file of JSON.parse(text).testResults) {
    let failedHere = 0;
    for (const test of file.assertionResults) {
      if (test.status === "passed") counts.passed += 1;
      else if (test.status === "failed") {
        failedHere += 1;
        counts.failures.push(test.fullName);
      } else counts.skipped += 1;
    }
    if (file.status === "failed" && failedHere === 0) {
      failedHere = 1;
      counts.failures.push(`${file.name}: ${file.message || "could not be run"}`);
    }
    counts.failed += failedHere;
  }
  return counts;
}

/** JUnit XML, as pytest and Maven's Surefire write it. An error counts as a failure. Throws when it was cut off. */
export function parseJunit(text) {
  if (!/(<\/testsuites?>|<testsuite\b[^>]*\/>)\s*$/.test(text)) throw new Error("it has no end");
  const counts = emptyCounts();
  const cases = text.matchAll(/<testcase\b((?:[^>"]|"[^"]*")*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g);
  for (const [, attributes, body = ""] of cases) {
    if (/<(failure|error)\b/.test(body)) {
      counts.failed += 1;
      const attribute = (key) => new RegExp(`\\b${key}="([^"]*)"`).exec(attributes)?.[1];
      // Surefire leaves the name empty when a whole class failed.
      counts.failures.push(attribute("name") || attribute("classname") || "unnamed");
    } else if (/<skipped\b/.test(body)) counts.skipped += 1;
    else counts.passed += 1;
  }
  return counts;
}

/**
 * The events of `go test -json`, one a line. A test with subtests counts only when it failed
 * without any of them; a test that did not end has failed; a package that did not end, or failed
 * without a test, counts as one failure.
 */
export function parseGoTest(text) {
  const results = new Map();
  const failedPackages = new Set();
  for (const line of text.split("\n").filter((part) => part.startsWith("{"))) {
    const { Action, Package, Test } = JSON.parse(line);
    if (Test === undefined) {
      if (Action === "start" || Action === "fail") failedPackages.add(Package);
      else if (Action === "pass" || Action === "skip") failedPackages.delete(Package);
    } else if (Action === "run") results.set(`${Package} ${Test}`, "fail");
    else if (["pass", "fail", "skip"].includes(Action)) results.set(`${Package} ${Test}`, Action);
  }
  const counts = emptyCounts();
  for (const [name, result] of results) {
    const parts = [...results].filter(([other]) => other.startsWith(`${name}/`));
    if (parts.length > 0 && (result !== "fail" || parts.some(([, part]) => part === "fail")))
      continue;
    if (result === "pass") counts.passed += 1;
    else if (result === "skip") counts.skipped += 1;
    else {
      counts.failed += 1;
      counts.failures.push(name);
    }
  }
  for (const name of failedPackages) {
    if (counts.failures.some((failure) => failure.startsWith(`${name} `))) continue;
    counts.failed += 1;
    counts.failures.push(`${name}: could not be run`);
  }
  return counts;
}

/** What the Connect conformance runner prints. A case that could not be run counts as failed. */
export function parseConformance(text) {
  const counts = emptyCounts();
  const [, passed, failed] = /^Total cases: \d+\n(\d+) passed, (\d+) failed/m.exec(text) ?? [];
  if (passed === undefined) return counts;
  const [, notRun = "0"] = /^Another (\d+) could not be run/m.exec(text) ?? [];
  counts.passed = Number(passed);
  counts.failed = Number(failed) + Number(notRun);
  counts.failures = [...text.matchAll(/^FAILED: (.+?):?$/gm)].map(([, name]) => name);
  return counts;
}

/** The report of `scripts/check.mjs`: [{ name, ok }]. */
export function parseChecks(text) {
  const counts = emptyCounts();
  for (const check of JSON.parse(text)) {
    if (check.ok) counts.passed += 1;
    else {
      counts.failed += 1;
      counts.failures.push(check.name);
    }
  }
  return counts;
}
