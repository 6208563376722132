// SPDX-License-Identifier: Apache-2.0

import { type ModelResult, modelCheck } from "./model/model-check.ts";

/** What many seeds of the model check came to. */
export interface ModelReport {
  readonly seed: number;
  readonly count: number;
  readonly seconds: number;
  readonly calls: number;
  readonly undecided: number;
  readonly faults: number;
  readonly failed: readonly ModelResult[];
}

const mostFailed = 5;

/** Runs the model check for seeds one after the other. */
export async function modelMany(
  seed: number,
  count: number,
  onProgress: (line: string) => void,
): Promise<ModelReport> {
  const startedAt = performance.now();
  const sums = { calls: 0, undecided: 0, faults: 0 };
  const failed: ModelResult[] = [];
  let done = 0;
  let shownAt = startedAt;
  for (; done < count && failed.length < mostFailed; done += 1) {
    const result = await modelCheck(seed + done);
    sums.calls += result.calls;
    sums.undecided += result.undecided;
    sums.faults += result.faults;
    if (result.violations.length > 0) {
      // At once: a run that is cut off has told what it found.
      onProgress(`seed ${seed + done} fails: ${result.violations[0]}`);
      failed.push(await modelCheck(seed + done, true));
    }
    if (performance.now() - shownAt < 2000) continue;
    shownAt = performance.now();
    onProgress(`${done + 1} of ${count} seeds`);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  return { seed, count: done, seconds, ...sums, failed };
}

/** A model check as lines for people. */
export function describeModel(report: ModelReport): string {
  const { seed, count, seconds, calls, undecided, faults, failed } = report;
  return [
    `seeds ${seed} to ${seed + count - 1}: ${2 * count} instances with ${calls} calls and ${faults} faults in ${seconds.toFixed(1)} s`,
    `undecided: ${undecided}`,
    `failed: ${failed.length}`,
    ...failed.flatMap((result) => [
      `seed ${result.seed}:`,
      ...result.violations.slice(0, 5).map((violation) => `  ${violation}`),
    ]),
  ].join("\n");
}
