// SPDX-License-Identifier: Apache-2.0

import { describeViolation, type Violation } from "./check/violation.ts";
import type { KillServerReport } from "./kill-server.ts";
import type { KillWorkerReport } from "./kill-worker.ts";

/** Violations that are printed in full. */
const shownViolations = 40;

/** A run of `killServer` as lines for people. */
export function describeServerKills(report: KillServerReport): string {
  const { seed, kills, seconds, calls, instances, historyEvents, ends } = report;
  const { runs, tasks } = report.activities;
  return [
    `seed ${seed}: ${kills.whileServing} kills while serving, ${kills.whileStarting} while starting, in ${seconds.toFixed(0)} s`,
    `calls: ${calls.answered} answered, ${calls.broken} broken`,
    `checked: ${instances} instances with ${historyEvents} events, ${ends} ends told to callers`,
    `activities: ${runs} runs of ${tasks} tasks`,
    `ready after (ms): ${describeSpread(report.readyMs)}`,
    ...describeViolations(report.violations),
  ].join("\n");
}

/** A run of `killWorker` as lines for people. */
export function describeWorkerKills(report: KillWorkerReport): string {
  const { seed, kills, interrupted, seconds, instances, historyEvents } = report;
  const { runs, tasks } = report.activities;
  return [
    `seed ${seed}: ${kills} kills that cut off ${interrupted} activities, in ${seconds.toFixed(0)} s`,
    `checked: ${instances} instances with ${historyEvents} events`,
    `activities: ${runs} runs of ${tasks} tasks`,
    ...describeViolations(report.violations),
  ].join("\n");
}

/** Violations as lines, the first of them in full. */
export function describeViolations(violations: readonly Violation[]): string[] {
  const lines = violations.slice(0, shownViolations).map((v) => `  ${describeViolation(v)}`);
  const rest = violations.length - lines.length;
  return [
    `violations: ${violations.length}`,
    ...lines,
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ];
}

/** Least, median, greatest and what lies between. */
export function describeSpread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): string => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    return value === undefined ? "-" : value.toFixed(0);
  };
  return `least ${at(0)}, median ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, most ${at(1)}`;
}
