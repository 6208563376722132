// SPDX-License-Identifier: Apache-2.0

import type { Machine } from "./machine.js";
import type { Result } from "./result.js";
import type { Target } from "./targets.js";

/** Everything about one run of the benchmark. */
export interface Report {
  /** When it began, in ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  /** Load average of the machine before and after. */
  readonly load: { readonly before: number; readonly after: number };
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly targets: readonly Target[];
  /** What was not measured, and why. */
  readonly skipped: Readonly<Record<string, string>>;
  readonly results: readonly Result[];
}

/** The circumstances of a run, for people. */
export function describeRun(report: Report): string {
  const { machine, load, rounds, warmUpMs, measureMs, skipped } = report;
  const { cpu, cores, memoryGiB, system, disk, node } = machine;
  return [
    `Machine: ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, ${disk}, Node ${node}.`,
    `Load average: ${load.before.toFixed(2)} before, ${load.after.toFixed(2)} after.`,
    `Rounds: ${rounds}, each ${warmUpMs} ms to warm up and ${measureMs} ms; figures are medians.`,
    ...Object.entries(skipped).map(([name, reason]) => `SKIPPED ${name}: ${reason}`),
    "",
  ].join("\n");
}

/** A report as JSON. Fractions keep five digits: more would be noise. */
export function toJson(report: Report): string {
  const round = (_key: string, value: unknown): unknown =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
  return `${JSON.stringify(report, round, 2)}\n`;
}

/**
 * Results of an earlier run that this one has not measured again, from the text of its report; none
 * when that was another machine's, or of another form.
 */
export function keepOthers(text: string, machine: Machine, now: readonly Result[]): Result[] {
  const earlier: Partial<Report> = JSON.parse(text);
  if (JSON.stringify(earlier.machine) !== JSON.stringify(machine)) return [];
  const keyOf = ({ workload, system, size, atOnce }: Result): string =>
    [workload, system, size, atOnce].join(" ");
  const measured = new Set(now.map(keyOf));
  return (earlier.results ?? []).filter((result) => !measured.has(keyOf(result)));
}
