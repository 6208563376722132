// SPDX-License-Identifier: Apache-2.0

import { type SimulationResult, simulate } from "./simulation/simulation.ts";

/** How to run many seeds. */
export interface SimulateOptions {
  readonly seed: number;
  readonly count: number;
  onProgress(line: string): void;
}

/** What many seeds came to. */
export interface SimulateReport {
  readonly seed: number;
  readonly count: number;
  readonly seconds: number;
  readonly steps: number;
  readonly faults: number;
  readonly lives: number;
  readonly calls: number;
  readonly activities: number;
  readonly commits: number;
  /** The seeds in which something was wrong. */
  readonly failed: readonly SimulationResult[];
}

/** Seeds after which the rest is not run: one that fails says enough. */
const mostFailed = 5;

/** Runs seeds one after the other; one alone with its trace. */
export async function simulateMany(options: SimulateOptions): Promise<SimulateReport> {
  const { seed, count, onProgress } = options;
  const startedAt = performance.now();
  const sums = { steps: 0, faults: 0, lives: 0, calls: 0, activities: 0, commits: 0 };
  const failed: SimulationResult[] = [];
  let done = 0;
  let shownAt = startedAt;
  for (; done < count && failed.length < mostFailed; done += 1) {
    const result = await simulate(seed + done);
    for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += result[key];
    // The same seed again gives the same run, now with its steps.
    if (result.violations.length > 0) failed.push(await simulate(seed + done, true));
    if (performance.now() - shownAt < 2000) continue;
    shownAt = performance.now();
    const rate = (done + 1) / ((shownAt - startedAt) / 1000);
    onProgress(`${done + 1} of ${count} seeds, ${rate.toFixed(0)} a second`);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  return { seed, count: done, seconds, ...sums, failed };
}

/** A run of many seeds as lines for people. */
export function describeSimulations(report: SimulateReport): string {
  const { seed, count, seconds, failed } = report;
  const each = (sum: number): string => (sum / Math.max(count, 1)).toFixed(1);
  return [
    `seeds ${seed} to ${seed + count - 1}: ${count} in ${seconds.toFixed(1)} s, ${(count / seconds).toFixed(0)} a second`,
    `each: ${each(report.lives)} lives, ${each(report.faults)} faults, ${each(report.steps)} steps, ${each(report.calls)} calls, ${each(report.activities)} activities, ${each(report.commits)} commits`,
    `failed: ${failed.length}`,
    ...failed.flatMap((result) => [
      `seed ${result.seed}, hash ${result.hash}:`,
      ...result.violations.slice(0, 5).map((violation) => `  ${violation}`),
    ]),
  ].join("\n");
}
