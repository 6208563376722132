// SPDX-License-Identifier: Apache-2.0

import type { ProcessName } from "./process/cpu.js";

/** Names of the benches, as `--only` takes them. */
export const benchNames = ["level", "port", "embedded", "call", "grpc"] as const;

/** The name of a bench. */
export type BenchName = (typeof benchNames)[number];

/** How hard a bench is driven, and for how long. */
export interface Load {
  /** Items under way at the same time; each that ends is followed by another. */
  readonly atOnce: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** The limit that a bench is held against, at the same load. */
export interface Limit {
  readonly bench: BenchName;
  /** Items of the limit that one item of the bench needs. */
  readonly perItem: number;
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
}

/** One thing that is measured. */
export interface Bench {
  readonly name: BenchName;
  /** For people. */
  readonly title: string;
  readonly unit: "workflow" | "call";
  readonly limit?: Limit;
  /** Measures once. Leaves nothing behind. */
  measure(load: Load): Promise<Sample>;
}
