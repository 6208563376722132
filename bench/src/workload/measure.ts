// SPDX-License-Identifier: Apache-2.0

import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { machineBusyMs, type ProcessName, processNames } from "../process/cpu.js";
import { percentile } from "../report/statistics.js";
import type { Sample, Task, Totals } from "./sample.js";

/** What a measurement does over and over. */
export interface Work {
  /** Does it once. */
  run(): Promise<void>;
  /** Items that one run makes. */
  readonly itemsPerRun: number;
  /** Runs that go on at the same time. */
  readonly runsAtOnce: number;
  readTotals(): Totals;
}

interface Mark {
  readonly at: number;
  readonly items: number;
  readonly totals: Totals;
  readonly busyMs: number;
}

/** The window stays open, in steps of this, until as many runs have ended as go on at once. */
const graceStepMs = 50;

/** Repeats `work`, first to warm up, then to measure. Items count when they end in the window. */
export async function measure(
  work: Work,
  load: Pick<Task, "warmUpMs" | "measureMs">,
): Promise<Sample> {
  let latencies: number[] = [];
  let items = 0;
  let isOver = false;
  const mark = (): Mark => {
    return { at: performance.now(), items, totals: work.readTotals(), busyMs: machineBusyMs() };
  };
  const repeat = async (): Promise<void> => {
    try {
      while (!isOver) {
        const startedAt = performance.now();
        await work.run();
        latencies.push(performance.now() - startedAt);
        items += work.itemsPerRun;
      }
    } finally {
      isOver = true;
    }
  };
  const window = async (): Promise<Sample> => {
    await sleep(load.warmUpMs);
    latencies = [];
    const begin = mark();
    await sleep(load.measureMs);
    // A machine that is busy with other things gets the time that it needs.
    while (!isOver && latencies.length < work.runsAtOnce) await sleep(graceStepMs);
    const end = mark();
    isOver = true;
    return sampleOf(begin, end, latencies.slice());
  };
  const [sample] = await Promise.all([
    window(),
    ...Array.from({ length: work.runsAtOnce }, repeat),
  ]);
  return sample;
}

/** Measures something that is done once and counts for `items`. It gives the latencies of its parts. */
export async function measureOnce(
  items: number,
  readTotals: () => Totals,
  run: () => Promise<readonly number[]>,
): Promise<Sample> {
  const mark = (done: number): Mark => {
    return { at: performance.now(), items: done, totals: readTotals(), busyMs: machineBusyMs() };
  };
  const begin = mark(0);
  const latencies = await run();
  return sampleOf(begin, mark(items), latencies);
}

function sampleOf(begin: Mark, end: Mark, latencies: readonly number[]): Sample {
  const items = end.items - begin.items;
  const elapsedMs = end.at - begin.at;
  const cpuMs: Partial<Record<ProcessName, number>> = {};
  let ownMs = 0;
  for (const name of processNames) {
    const endMs = end.totals.cpuMs[name];
    if (endMs === undefined) continue;
    const usedMs = endMs - (begin.totals.cpuMs[name] ?? 0);
    ownMs += usedMs;
    cpuMs[name] = usedMs / items;
  }
  const otherMs = end.busyMs - begin.busyMs - ownMs;
  const { commits } = end.totals;
  const sorted = Float64Array.from(latencies).sort();
  return {
    items,
    perSecond: (items / elapsedMs) * 1000,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    ...(commits === undefined ? {} : { commits: (commits - (begin.totals.commits ?? 0)) / items }),
    cpuMs,
    otherCpuShare: Math.max(0, otherMs / (elapsedMs * availableParallelism())),
  };
}
