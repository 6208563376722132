// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { keepOthers, type Report, toJson } from "./report.js";
import { type Result, summarize } from "./result.js";

const machine = { cpu: "c", cores: 2, memoryGiB: 1, system: "s", disk: "d", node: "n" };

function result(atOnce: number): Result {
  const of = { workload: "chain", system: "embedded", title: "t", size: 1, atOnce } as const;
  const rates = { perSecond: 1, p50Ms: Number.NaN, p99Ms: 1 };
  return summarize(of, [{ items: 1, ...rates, otherCpuShare: 0, cpuMs: {} }]);
}

function report(results: readonly Result[]): Report {
  const load = { before: 0, after: 0 };
  const run = { date: "", machine, load, rounds: 1, warmUpMs: 1, measureMs: 1 };
  return { ...run, targets: [], skipped: {}, results };
}

test("keepOthers() keeps what was not measured again", () => {
  const text = toJson(report([result(1), result(64)]));

  const kept = keepOthers(text, machine, [result(64)]);

  expect(kept.map(({ atOnce }) => atOnce)).toEqual([1]);
});

test("keepOthers() keeps nothing of another machine", () => {
  const text = toJson(report([result(1)]));

  expect(keepOthers(text, { ...machine, cores: 4 }, [])).toEqual([]);
});
