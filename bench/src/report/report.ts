// SPDX-License-Identifier: Apache-2.0

import type { Machine } from "./machine.js";
import type { Result } from "./result.js";

/** Everything about one run of the benchmark. */
export interface Report {
  /** When it began, in ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  /** Load average of the machine before and after. */
  readonly load: { readonly before: number; readonly after: number };
  /** What the engine writes for one chain. */
  readonly chain: { readonly batches: number; readonly writes: number; readonly bytes: number };
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly results: readonly Result[];
}

/** The circumstances of a run, for people. */
export function describeRun(report: Report): string {
  const { machine, load, chain, rounds, warmUpMs, measureMs } = report;
  const { cpu, cores, memoryGiB, system, disk, node } = machine;
  return [
    `Machine: ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, ${disk}, Node ${node}.`,
    `Load average: ${load.before.toFixed(2)} before, ${load.after.toFixed(2)} after.`,
    `Rounds: ${rounds}, each ${warmUpMs} ms to warm up and ${measureMs} ms; figures are medians.`,
    `A chain writes ${chain.batches} batches, ${chain.writes} writes, ${chain.bytes} bytes.`,
    "",
  ].join("\n");
}

/** A report as JSON. Fractions keep five digits: more would be noise. */
export function toJson(report: Report): string {
  const round = (_key: string, value: unknown): unknown =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
  return `${JSON.stringify(report, round, 2)}\n`;
}
