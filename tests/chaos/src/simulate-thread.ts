// SPDX-License-Identifier: Apache-2.0

// A thread of `simulateMany`: runs the seeds that it is told, one after the other.

import { parentPort } from "node:worker_threads";
import { noSums, type Piece, type PieceResult } from "./simulate.ts";
import { simulate } from "./simulation/simulation.ts";

parentPort?.on("message", async ({ seed, count }: Piece) => {
  const result: PieceResult = { count, sums: noSums(), failed: [] };
  for (let at = seed; at < seed + count; at += 1) {
    const one = await simulate(at);
    for (const key of Object.keys(result.sums) as (keyof typeof result.sums)[]) {
      result.sums[key] += one[key];
    }
    // The same seed again gives the same run, now with its steps.
    if (one.violations.length > 0) result.failed.push(await simulate(at, true));
  }
  parentPort?.postMessage(result);
});
