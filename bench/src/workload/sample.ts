// SPDX-License-Identifier: Apache-2.0

import type { ProcessName } from "../process/cpu.js";

/** What can be asked of a system; as `--only` takes them. */
export const workloadNames = [
  "limit",
  "chain",
  "fan-out",
  "steps",
  "events",
  "sleep",
  "start-up",
  "rest",
  "large",
] as const;

/** The name of a workload. */
export type WorkloadName = (typeof workloadNames)[number];

/** What a system is asked for once. */
export interface Task {
  readonly workload: WorkloadName;
  /** Activities of a fan-out, steps, events, sleepers, stored instances. 1 where it has no meaning. */
  readonly size: number;
  /** Items under way at the same time; each that ends is followed by another. */
  readonly atOnce: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** Totals at one moment; only their differences are used. */
export interface Totals {
  /** CPU time of each process that takes part; a process that cannot be read is left out. */
  readonly cpuMs: Readonly<Partial<Record<ProcessName, number>>>;
  /** Synced writes. */
  readonly commits?: number;
}

/** What one measurement found. All but the share are per item or about items. */
export interface Sample {
  readonly items: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly commits?: number;
  readonly cpuMs: Readonly<Partial<Record<ProcessName, number>>>;
  /** Share of the machine that processes of others used meanwhile: 0 to 1. */
  readonly otherCpuShare: number;
  /** What else was found, by name with its unit. */
  readonly facts?: Readonly<Record<string, number>>;
}
