// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import type { Result } from "./result.js";
import { formatFacts, formatTable, formatTargets } from "./table.js";

const result: Result = {
  workload: "steps",
  system: "embedded",
  title: "Pawl embedded",
  size: 1000,
  atOnce: 64,
  perSecond: 1234.5,
  p50Ms: 0.1234,
  p99Ms: Number.NaN,
  cpuMs: { driver: 1.5 },
  otherCpuShare: 0,
  facts: { rssMb: 12.34 },
  rounds: [],
};

function cellsOf(line: string | undefined): string[] | undefined {
  return line
    ?.split("|")
    .map((cell) => cell.trim())
    .slice(1, -1);
}

test("formatTable() aligns columns and leaves out what was not measured", () => {
  const lines = formatTable([result]).trimEnd().split("\n");

  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  expect(cellsOf(lines[2])).toEqual(
    ["steps 1,000", "Pawl embedded", "64", "1235", "0.123", "", "", "1.50", "", "", "0 %"], //
  );
});

test("formatFacts() has a line for a result with facts", () => {
  const { facts: _facts, ...plain } = result;

  expect(formatFacts([result, plain])).toBe(
    "- steps 1,000, Pawl embedded, 64 at once: rssMb 12.3\n",
  );
});

test("formatTargets() tells met, missed and not measured", () => {
  const wanted = "≥ 1";
  const lines = formatTargets([
    { name: "a", wanted, value: 2, isMet: true },
    { name: "b", wanted, value: 0.5, isMet: false, ceiling: 0.75 },
    { name: "c", wanted, value: undefined, isMet: undefined },
  ]).split("\n");

  expect(lines.slice(2, 5).map((line) => cellsOf(line)?.slice(2))).toEqual([
    ["2.00", "yes", ""],
    ["0.500", "no", "0.750"],
    ["not measured", "", ""],
  ]);
});
