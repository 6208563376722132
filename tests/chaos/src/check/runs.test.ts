// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { parseRunLines, type RunLine } from "../process/run-line.ts";
import { readRuns } from "./runs.ts";

function line(what: RunLine["what"], at: number): RunLine {
  return { what, at, instanceId: "i", executionId: "e", taskId: 0 };
}

function runner(killedAt: number, ...lines: readonly RunLine[]) {
  return { killedAt, runLines: () => lines };
}

const never = Number.POSITIVE_INFINITY;

describe("readRuns()", () => {
  test("takes a second run after the kill of the first one's worker", () => {
    const runs = readRuns([
      runner(5, line("begin", 1)),
      runner(never, line("begin", 6), line("end", 7)),
    ]);
    expect(runs).toMatchObject({ violations: [], interrupted: 1, counts: { runs: 2, tasks: 1 } });
    expect(runs.has({ instanceId: "i", executionId: "e", taskId: 0 })).toBe(true);
    expect(runs.has({ instanceId: "i", executionId: "e", taskId: 1 })).toBe(false);
  });

  test("finds a second run while the first one's worker lives", () => {
    const rule = "no activity runs twice while its worker lives";
    const alive = runner(never, line("begin", 1), line("end", 2));
    expect(readRuns([alive, runner(never, line("begin", 3))]).violations).toMatchObject([{ rule }]);
    const twice = runner(never, line("begin", 1), line("begin", 2));
    expect(readRuns([twice]).violations).toMatchObject([{ rule }]);
  });
});

describe("parseRunLines()", () => {
  test("leaves out a line that was cut off", () => {
    const whole = JSON.stringify(line("begin", 1));
    expect(parseRunLines(`${whole}\n${whole.slice(0, 9)}`)).toEqual([line("begin", 1)]);
  });
});
