// SPDX-License-Identifier: Apache-2.0

import type { Bench, BenchName, Sample } from "../bench.js";
import { type ProcessName, processNames } from "../process/cpu.js";
import { median } from "./statistics.js";

/** What the rounds found of one bench at one load: medians, and each round. */
export interface Result {
  readonly bench: BenchName;
  readonly title: string;
  readonly unit: Bench["unit"];
  readonly atOnce: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Synced writes per item. */
  readonly commits?: number;
  /** CPU time per item of each process. */
  readonly cpuMs: Sample["cpuMs"];
  /** Throughput as a share of the limit's, both from the same round. */
  readonly ofLimit?: number;
  /** Share of the machine that others used meanwhile: 0 to 1. */
  readonly otherCpuShare: number;
  readonly rounds: readonly Sample[];
}

/** The samples of one bench at one load, one a round. */
export interface Samples {
  readonly bench: Bench;
  readonly atOnce: number;
  readonly rounds: readonly Sample[];
}

/** Sums up what was measured. */
export function summarize(measured: readonly Samples[]): Result[] {
  return measured.map((samples) => {
    const { bench, atOnce, rounds } = samples;
    const { limit } = bench;
    const limits = measured.find(
      (other) => other.bench.name === limit?.bench && other.atOnce === atOnce,
    );
    const { name, title, unit } = bench;
    const middle = (read: (sample: Sample) => number): number => median(rounds.map(read));
    return {
      ...{ bench: name, title, unit, atOnce },
      perSecond: middle((sample) => sample.perSecond),
      p50Ms: middle((sample) => sample.p50Ms),
      p99Ms: middle((sample) => sample.p99Ms),
      ...(rounds[0]?.commits === undefined
        ? {}
        : { commits: middle((sample) => sample.commits ?? Number.NaN) }),
      cpuMs: cpuOf(rounds),
      ...(limit === undefined || limits === undefined
        ? {}
        : { ofLimit: shareOf(rounds, limits.rounds, limit.perItem) }),
      otherCpuShare: middle((sample) => sample.otherCpuShare),
      rounds,
    };
  });
}

function shareOf(rounds: readonly Sample[], limits: readonly Sample[], perItem: number): number {
  return median(
    rounds.map(
      (sample, index) => (sample.perSecond * perItem) / (limits[index]?.perSecond ?? Number.NaN),
    ),
  );
}

function cpuOf(rounds: readonly Sample[]): Sample["cpuMs"] {
  const cpuMs: Partial<Record<ProcessName, number>> = {};
  for (const name of processNames) {
    const values = rounds.flatMap((sample) => sample.cpuMs[name] ?? []);
    if (values.length > 0) cpuMs[name] = median(values);
  }
  return cpuMs;
}
