// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  parseChecks,
  parseConformance,
  parseGoTest,
  parseJunit,
  parseVitest,
  readReport,
} from "./report.mjs";

function vitestFile(status, tests, message = "") {
  const assertionResults = tests.map((test) => ({ fullName: `test ${test}`, status: test }));
  return { name: "a.test.ts", status, message, assertionResults };
}

function vitestReport(...testResults) {
  return JSON.stringify({ testResults });
}

describe("parseVitest()", () => {
  test("counts what passed, failed and was skipped", () => {
    const text = vitestReport(
      vitestFile("passed", ["passed", "skipped", "todo"]),
      vitestFile("failed", ["passed", "failed"]),
    );
    expect(parseVitest(text)).toEqual({
      passed: 2,
      failed: 1,
      skipped: 2,
      failures: ["test failed"],
    });
  });

  test("counts a file that could not be loaded as one failure", () => {
    const text = vitestReport(vitestFile("failed", [], "no such module"));
    expect(parseVitest(text)).toMatchObject({
      failed: 1,
      failures: ["a.test.ts: no such module"],
    });
  });
});

describe("parseJunit()", () => {
  test("counts what passed, failed, had an error and was skipped", () => {
    const text = `<?xml version="1.0"?><testsuites><testsuite tests="6">
      <testcase classname="a" name="one" time="0.1"/>
      <testcase classname="a" name="two"><system-out>a &lt; b</system-out></testcase>
      <testcase classname="a" name="three"><failure message="x > y">trace</failure></testcase>
      <testcase classname="a" name="four"><error message="boom"/></testcase>
      <testcase classname="a" name="five"><skipped message="no tool"/></testcase>
      <testcase classname="b.SixTest" name=""><error message="no server"/></testcase>
    </testsuite></testsuites>`;
    expect(parseJunit(text)).toEqual({
      passed: 2,
      failed: 3,
      skipped: 1,
      failures: ["three", "four", "b.SixTest"],
    });
  });
});

describe("parseGoTest()", () => {
  function goReport(...events) {
    const lines = events.map(([Action, Test, Package = "p"]) =>
      JSON.stringify({ Time: "2026-01-01T00:00:00Z", Action, Package, Test }),
    );
    return `${lines.join("\n")}\n`;
  }

  test("counts what passed, failed, was skipped and did not end", () => {
    const text = goReport(
      ...["One", "Two", "Three", "Four"].map((name) => ["run", name]),
      ["output", "One"],
      ["pass", "One"],
      ["fail", "Two"],
      ["skip", "Three"],
      ["fail"],
      ["skip", undefined, "p/without/tests"],
    );
    expect(parseGoTest(text)).toEqual({
      passed: 1,
      failed: 2,
      skipped: 1,
      failures: ["p Two", "p Four"],
    });
  });

  test("counts subtests in place of the test that holds them", () => {
    const text = goReport(
      ["pass", "One/a"],
      ["fail", "One/b"],
      ["fail", "One"],
      ["pass", "Two/a"],
      ["pass", "Two"],
      ["pass", "Three/a"],
      ["fail", "Three"],
      ["fail"],
    );
    expect(parseGoTest(text)).toEqual({
      passed: 3,
      failed: 2,
      skipped: 0,
      failures: ["p One/b", "p Three"],
    });
  });

  test("counts a package that did not end as one failure", () => {
    const text = goReport(["start"], ["run", "One"], ["pass", "One"]);
    expect(parseGoTest(text)).toMatchObject({ passed: 1, failed: 1 });
  });

  test("counts a package that could not be built as one failure", () => {
    const text = goReport(["build-fail"], ["fail"], ["pass", "One", "q"], ["pass", undefined, "q"]);
    expect(parseGoTest(text)).toMatchObject({
      passed: 1,
      failed: 1,
      failures: ["p: could not be run"],
    });
  });
});

describe("parseConformance()", () => {
  test("takes the runner's own sum", () => {
    expect(parseConformance("Total cases: 12\n12 passed, 0 failed\n")).toEqual({
      passed: 12,
      failed: 0,
      skipped: 0,
      failures: [],
    });
  });

  test("names what failed and counts what could not be run", () => {
    const text =
      "FAILED: Basic/HTTPVersion:1/unary:\n\tactual error\n\nTotal cases: 5\n3 passed, 1 failed\n" +
      "Another 2 could not be run due to client timing out or exiting prematurely.\n";

    expect(parseConformance(text)).toEqual({
      passed: 3,
      failed: 3,
      skipped: 0,
      failures: ["Basic/HTTPVersion:1/unary"],
    });
  });

  test("counts nothing when the runner broke off", () => {
    expect(parseConformance("Error: no such file")).toMatchObject({ passed: 0, failed: 0 });
  });
});

describe("readReport()", () => {
  function reportFile(text) {
    const folder = mkdtempSync(join(tmpdir(), "pawl-report-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "report");
    if (text !== undefined) writeFileSync(file, text);
    return file;
  }

  const onePassed = JSON.stringify([{ name: "a", ok: true }]);

  test.each([
    ["no report", undefined, 1, "the runner left no report (exit code 1)"],
    ["no test", "[]", 0, "no test ran (exit code 0)"],
    ["a crash after the tests", onePassed, 134, "the runner ended with code 134"],
  ])("counts %s as a failure", (_title, text, exitCode, fault) => {
    const counts = readReport(parseChecks, reportFile(text), exitCode);
    expect([counts.failed, counts.failures]).toEqual([1, [fault]]);
  });

  test.each([
    ["Vitest's", parseVitest, vitestReport(vitestFile("passed", ["passed"]))],
    ["a JUnit", parseJunit, '<testsuite><testcase name="one"/></testsuite>'],
    ["Go's", parseGoTest, '{"Action":"start","Package":"p"}\n{"Action":"pass","Package":"p"}'],
    ["the conformance runner's", parseConformance, "Total cases: 2\n2 passed, 0 failed"],
    ["the checks'", parseChecks, onePassed],
  ])("counts %s report that was cut off as a failure", (_title, parse, text) => {
    for (const length of [0, text.length - 20, text.length - 1]) {
      const counts = readReport(parse, reportFile(text.slice(0, length)), 0);
      expect([counts.passed, counts.failed], text.slice(0, length)).toEqual([0, 1]);
    }
  });

  test("takes the counts of a run that ended well as they are", () => {
    const counts = readReport(parseChecks, reportFile(onePassed), 0);
    expect(counts).toEqual({ passed: 1, failed: 0, skipped: 0, failures: [] });
  });

  test("adds up the XML files of a folder", () => {
    const folder = reportFile();
    mkdirSync(folder);
    writeFileSync(join(folder, "TEST-a.xml"), '<testsuite><testcase name="one"/></testsuite>');
    writeFileSync(join(folder, "TEST-b.xml"), '<testsuite><testcase name="two"/></testsuite>');
    writeFileSync(join(folder, "output.txt"), '<testcase name="printed"/>');
    expect(readReport(parseJunit, folder, 0)).toMatchObject({ passed: 2, failed: 0 });
  });
});
