// SPDX-License-Identifier: Apache-2.0

// A thread of `simulateMany`: runs the seeds that it is told, one after the other.

import { parentPort } from "node:worker_threads";
import { noSums, type Piece, type PieceResult } from "./simulate.ts";
import { type SimulationResult, simulate } from "./simulation/simulation.ts";

parentPort?.on("message", async ({ seed, count, twice }: Piece) => {
  const result: PieceResult = { hashes: [], sums: noSums(), failed: [] };
  for (let at = seed; at < seed + count; at += 1) {
    const one = await simulate(at);
    result.hashes.push(one.hash);
    for (const key of Object.keys(result.sums) as (keyof typeof result.sums)[]) {
      result.sums[key] += one[key];
    }
    // The same seed again gives the same run, now with its steps.
    if (one.violations.length > 0) result.failed.push(compared(one, await simulate(at, true)));
    else if (twice) {
      const both = compared(one, await simulate(at, true));
      if (both.violations.length > 0) result.failed.push(both);
    }
  }
  parentPort?.postMessage(result);
});

/** What was found in the first run, with the steps of the second, and whether the two were one. */
function compared(one: SimulationResult, again: SimulationResult): SimulationResult {
  if (again.hash === one.hash) return again;
  const different = `the same seed gives the same run: ${one.hash}, then ${again.hash}`;
  return { ...again, hash: one.hash, violations: [...one.violations, different] };
}
