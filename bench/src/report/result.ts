// SPDX-License-Identifier: Apache-2.0

import type { SystemName } from "../plan.js";
import { type ProcessName, processNames } from "../process/cpu.js";
import type { Sample, WorkloadName } from "../workload/sample.js";
import { median } from "./statistics.js";

/** What the rounds found of one case: medians, and each round. */
export interface Result {
  readonly workload: WorkloadName;
  readonly system: SystemName;
  readonly title: string;
  readonly size: number;
  readonly atOnce: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Synced writes per item. */
  readonly commits?: number;
  /** CPU time per item of each process. */
  readonly cpuMs: Sample["cpuMs"];
  /** Share of the machine that others used meanwhile: 0 to 1. */
  readonly otherCpuShare: number;
  readonly facts?: Readonly<Record<string, number>>;
  readonly rounds: readonly Sample[];
}

/** Which case a result is of. */
export type ResultOf = Pick<Result, "workload" | "system" | "title" | "size" | "atOnce">;

/** Sums up the samples of a case. */
export function summarize(of: ResultOf, rounds: readonly Sample[]): Result {
  const middle = (read: (sample: Sample) => number): number => median(rounds.map(read));
  const facts = factsOf(rounds);
  return {
    ...of,
    perSecond: middle((sample) => sample.perSecond),
    p50Ms: middle((sample) => sample.p50Ms),
    p99Ms: middle((sample) => sample.p99Ms),
    ...(rounds[0]?.commits === undefined
      ? {}
      : { commits: middle((sample) => sample.commits ?? Number.NaN) }),
    cpuMs: cpuOf(rounds),
    otherCpuShare: middle((sample) => sample.otherCpuShare),
    ...(facts === undefined ? {} : { facts }),
    rounds,
  };
}

/** CPU time per item of all processes together that run the system, its driver only where it is part of it. */
export function systemCpuMs({ driver = 0, server, worker }: Sample["cpuMs"]): number {
  return server === undefined ? driver : server + (worker ?? driver);
}

function factsOf(rounds: readonly Sample[]): Record<string, number> | undefined {
  const names = Object.keys(rounds[0]?.facts ?? {});
  if (names.length === 0) return undefined;
  return Object.fromEntries(
    names.map((name) => [name, median(rounds.map(({ facts }) => facts?.[name] ?? Number.NaN))]),
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
