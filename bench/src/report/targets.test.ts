// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import type { SystemName } from "../plan.js";
import { type Result, summarize } from "./result.js";
import { assessTargets, type Target } from "./targets.js";

function chains(
  system: SystemName,
  rates: readonly number[],
  cpuMs: number,
  at: { readonly workload?: "limit"; readonly atOnce?: number } = {},
): Result {
  const of = { workload: "chain", system, title: system, size: 1, atOnce: 256, ...at } as const;
  const rounds = rates.map((perSecond) => {
    const fixed = { items: 1, p50Ms: 1, p99Ms: 1, otherCpuShare: 0, cpuMs: { driver: cpuMs } };
    return { ...fixed, perSecond };
  });
  return summarize(of, rounds);
}

function found(targets: readonly Target[], name: string): Target | undefined {
  return targets.find((target) => target.name.startsWith(name));
}

test("assessTargets() takes the median of the ratios of the rounds", () => {
  // The ratios are 20, 5 and 30: the middle one is not that of the middle rates.
  const targets = assessTargets([
    chains("embedded", [2000, 1000, 600], 1),
    chains("restate", [100, 200, 20], 16),
  ]);

  expect(found(targets, "embedded chain at 256")).toMatchObject({ value: 20, isMet: true });
  expect(found(targets, "its CPU time")).toMatchObject({ value: 1 / 16, isMet: true });
});

test("assessTargets() tells what is missed from what was not measured", () => {
  const targets = assessTargets([chains("embedded", [900], 1), chains("restate", [100], 1)]);

  expect(found(targets, "embedded chain at 256")).toMatchObject({ value: 9, isMet: false });
  expect(found(targets, "its CPU time")).toMatchObject({ value: 1, isMet: false });
  expect(found(targets, "start-up to the first")).toMatchObject({
    value: undefined,
    isMet: undefined,
  });
});

test("assessTargets() takes no small case for the one that a target is about", () => {
  const of = { workload: "sleep", system: "embedded", title: "t", size: 200, atOnce: 1 } as const;
  const rest = { items: 1, perSecond: 1, p50Ms: 1, p99Ms: 1, otherCpuShare: 0, cpuMs: {} };

  const targets = assessTargets([summarize(of, [{ ...rest, facts: { rssMb: 1, lastLateMs: 1 } }])]);

  expect(found(targets, "100,000 sleepers")).toMatchObject({ value: undefined });
});

test("assessTargets() holds a run of the engine against its own batches, written again", () => {
  const of = { workload: "limit", system: "replay", title: "t", size: 1, atOnce: 256 } as const;
  const rest = { items: 1, p50Ms: 1, p99Ms: 1, otherCpuShare: 0, cpuMs: {} };
  const rounds = [
    { ...rest, perSecond: 1000, facts: { enginePerSecond: 400 } },
    { ...rest, perSecond: 2000, facts: { enginePerSecond: 1400 } },
    { ...rest, perSecond: 1000, facts: { enginePerSecond: 600 } },
  ];
  const targets = assessTargets([
    summarize(of, rounds),
    chains("embedded", [300, 300, 300], 1),
    chains("level", [1000, 1000, 1000], 1, { workload: "limit" }),
  ]);

  const name = "embedded at 256";
  expect(found(targets, `${name}: share of its own`)).toMatchObject({ value: 0.6, isMet: true });
  expect(found(targets, `${name}, on a store of all rounds`)).toMatchObject({ value: 0.3 });
  expect(found(targets, `${name}: share of the best`)).toMatchObject({ value: 0.3 });
});

test("assessTargets() finds no share of batches where the engine's run was not noted", () => {
  const replay = chains("replay", [1000], 1, { workload: "limit" });
  const name = "embedded at 256: share of its own";
  expect(found(assessTargets([replay]), name)).toMatchObject({ value: undefined });
});

test("assessTargets() says what a worker allows, and what share of that was found", () => {
  const targets = assessTargets([
    chains("sidecar-js", [300, 400], 1, { atOnce: 16 }),
    chains("go-sidecar-js", [50, 50], 1, { atOnce: 16 }),
    chains("ceiling-js", [400, 500], 1, { workload: "limit", atOnce: 16 }),
  ]);

  const name = "sidecar service, JS worker at 16";
  expect(found(targets, `${name}: times`)).toMatchObject({ value: 7, ceiling: 9, isMet: false });
  expect(found(targets, `${name}: share`)).toMatchObject({ value: 0.775, isMet: undefined });
  expect(found(targets, "sidecar service, Go worker at 64: times")?.ceiling).toBeUndefined();
  expect(found(targets, "sidecar service, Go worker at 64: share")).toBeUndefined();
});
