// SPDX-License-Identifier: Apache-2.0

import type { EngineSettings } from "@pawl/engine";
import { Command, CommanderError } from "commander";
import { afterEach, describe, expect, test, vi } from "vitest";
import { parseDuration } from "./duration.js";
import { addEngineFlags, parseEngineFlags } from "./engine-flags.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

function parse(...flags: string[]): EngineSettings | undefined {
  const command = addEngineFlags(new Command("serve")).exitOverride();
  command.configureOutput({ writeErr() {} });
  command.parse(flags, { from: "user" });
  return parseEngineFlags(command);
}

describe("the engine's flags", () => {
  test("say nothing by default", () => {
    expect(parse()).toBeUndefined();
  });

  test("set limits in all and by name", () => {
    const limits = parse("--max-turns", "100, order=5", "--max-activities", "charge=2,a=b=3");
    expect(limits).toEqual({
      concurrency: { turns: 100, turnsOf: { order: 5 }, activitiesOf: { charge: 2, "a=b": 3 } },
    });
  });

  test("set times for statuses and workflows, from the environment, too", () => {
    vi.stubEnv("PAWL_RETENTION", "completed=7d,failed=0,any=1h30m,a/b/any=1w,a/b/failed=5s");
    vi.stubEnv("PAWL_KEEP_EXECUTIONS", "false");
    expect(parse()).toEqual({
      keepExecutions: false,
      retention: {
        completedMs: 604_800_000,
        failedMs: 0,
        anyMs: 5_400_000,
        byWorkflow: { "a/b": { anyMs: 604_800_000, failedMs: 5000 } },
      },
    });
  });

  test.each([
    ["1", true],
    ["true", true],
    ["0", false],
    ["false", false],
  ])("keep executions: %s", (text, keepExecutions) => {
    expect(parse("--keep-executions", text)).toEqual({ keepExecutions });
  });

  test("set how long work waits for a worker that has gone", () => {
    expect(parse("--worker-return", "1m30s")).toEqual({ workerReturnMs: 90_000 });
    expect(parse("--worker-return", "0")).toEqual({ workerReturnMs: 0 });
  });

  test.each([
    ["--max-turns", "many"],
    ["--max-turns", "order="],
    ["--max-turns", "=5"],
    ["--max-turns", "7, =5"],
    ["--max-activities", "-1"],
    ["--retention", "done=7d"],
    ["--retention", "completed=7"],
    ["--retention", "completed"],
    ["--retention", "/completed=1h"],
    ["--keep-executions", "maybe"],
    ["--worker-return", "soon"],
  ])("refuse %s %s", (flag, value) => {
    expect(() => parse(`${flag}=${value}`)).toThrow(CommanderError);
  });
});

describe("parseDuration()", () => {
  test.each([
    ["0", 0],
    ["250ms", 250],
    ["1.5s", 1500],
    ["1h30m", 5_400_000],
    ["2w1d", 1_296_000_000],
    ["0.0001ms", 1],
  ])("takes %s for %i ms", (text, lengthMs) => {
    expect(parseDuration(text)).toBe(lengthMs);
  });

  test.each(["", "7", "d", "7 d", "-1s", "1y", "1e3s", `${"9".repeat(20)}w`])(
    "takes %j for none",
    (text) => expect(parseDuration(text)).toBeUndefined(),
  );
});
