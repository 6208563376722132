// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { SimulationResult } from "./simulation/simulation.ts";

/** How to run many seeds. */
export interface SimulateOptions {
  readonly seed: number;
  readonly count: number;
  /** Each seed twice: both runs must be the same. @default false */
  readonly twice?: boolean;
  onProgress(line: string): void;
}

/** What is counted over all seeds. */
export interface Sums {
  steps: number;
  faults: number;
  lives: number;
  calls: number;
  activities: number;
  commits: number;
}

/** Nothing counted yet. */
export function noSums(): Sums {
  return { steps: 0, faults: 0, lives: 0, calls: 0, activities: 0, commits: 0 };
}

/** What many seeds came to. */
export interface SimulateReport extends Readonly<Sums> {
  readonly seed: number;
  readonly count: number;
  readonly threads: number;
  readonly seconds: number;
  /** Of all runs' hashes, in the order of their seeds: the same seeds give the same one. */
  readonly hash: string;
  /** The seeds in which something was wrong. */
  readonly failed: readonly SimulationResult[];
}

/** Seeds that a thread runs at a time. */
export interface Piece {
  readonly seed: number;
  readonly count: number;
  readonly twice: boolean;
}

/** What a thread answers. */
export interface PieceResult {
  /** Of each seed's run. */
  readonly hashes: string[];
  readonly sums: Sums;
  readonly failed: SimulationResult[];
}

/** Seeds after which the rest is not run: one that fails says enough. */
const mostFailed = 5;
const pieceSeeds = 10;
/** Fewer collections of what does not live long. */
const youngMegabytes = 64;

/** Runs seeds, one after the other in a thread for each processor: each seed is a run of its own. */
export async function simulateMany(options: SimulateOptions): Promise<SimulateReport> {
  const { seed, count, twice = false, onProgress } = options;
  const startedAt = performance.now();
  const sums = noSums();
  const failed: SimulationResult[] = [];
  const hashes = new Map<number, string>();
  let begun = 0;
  let shownAt = startedAt;
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  const work = async (): Promise<void> => {
    const thread = new Worker(new URL("./simulate-thread.ts", import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: youngMegabytes },
    });
    try {
      while (begun < count && failed.length < mostFailed) {
        const left = Math.min(pieceSeeds, count - begun);
        const piece: Piece = { seed: seed + begun, count: left, twice };
        begun += left;
        thread.postMessage(piece);
        const [result]: PieceResult[] = await once(thread, "message");
        if (result === undefined) throw new Error("a thread gave no answer");
        for (const [at, hash] of result.hashes.entries()) hashes.set(piece.seed + at, hash);
        for (const key of Object.keys(sums) as (keyof Sums)[]) sums[key] += result.sums[key];
        failed.push(...result.failed);
        // At once: a run that is cut off has told what it found.
        for (const { seed, violations } of result.failed) {
          onProgress(`seed ${seed} fails: ${violations[0]}`);
        }
        if (performance.now() - shownAt < 2000) continue;
        shownAt = performance.now();
        const { size: done } = hashes;
        onProgress(`${done} of ${count} seeds, ${(done / seconds()).toFixed(0)} a second`);
      }
    } finally {
      await thread.terminate();
    }
  };
  const threads = Math.min(availableParallelism(), Math.ceil(count / pieceSeeds));
  await Promise.all(Array.from({ length: threads }, work));
  failed.sort((a, b) => a.seed - b.seed);
  const { size: done } = hashes;
  return { seed, count: done, threads, seconds: seconds(), ...sums, hash: hashOf(hashes), failed };
}

function hashOf(hashes: ReadonlyMap<number, string>): string {
  const sum = createHash("sha256");
  for (const [seed, hash] of [...hashes].sort(([a], [b]) => a - b)) sum.update(`${seed} ${hash}\n`);
  return sum.digest("hex").slice(0, 16);
}

/** A run of many seeds as lines for people. */
export function describeSimulations(report: SimulateReport): string {
  const { seed, count, threads, seconds, failed } = report;
  const each = (sum: number): string => (sum / Math.max(count, 1)).toFixed(1);
  return [
    `seeds ${seed} to ${seed + count - 1}: ${count} in ${seconds.toFixed(1)} s, ${(count / seconds).toFixed(0)} a second, in ${threads} threads`,
    `each: ${each(report.lives)} lives, ${each(report.faults)} faults, ${each(report.steps)} steps, ${each(report.calls)} calls, ${each(report.activities)} activities, ${each(report.commits)} commits`,
    `hash of all: ${report.hash}`,
    `failed: ${failed.length}`,
    ...failed.flatMap((result) => [
      `seed ${result.seed}, hash ${result.hash}:`,
      ...result.violations.slice(0, 5).map((violation) => `  ${violation}`),
    ]),
  ].join("\n");
}
