// SPDX-License-Identifier: Apache-2.0

import { recordChain, sizeOf } from "./batch/recording.js";
import type { Bench, Load, Sample } from "./bench.js";
import { embeddedBench, portBench } from "./embedded.bench.js";
import { createCallBench, createGrpcBench } from "./grpc.bench.js";
import { createLevelBench } from "./level.bench.js";
import type { BenchOptions } from "./options.js";
import { type Deployment, startDeployment } from "./process/deployment.js";
import { QuietMeter } from "./quiet.js";
import type { Samples } from "./report/result.js";

/** What was measured. */
export interface Measured {
  /** What the engine writes for one chain. */
  readonly chain: { readonly batches: number; readonly writes: number; readonly bytes: number };
  readonly samples: readonly Samples[];
}

/** Items at once that every bench is measured with. */
const loads = [1, 64, 256];

/**
 * Measures what the options ask for, round by round, so that what changes on the machine meanwhile
 * meets all alike. A bench comes right after its limit.
 */
export async function runBenches(
  options: BenchOptions,
  progress: (line: string) => void,
): Promise<Measured> {
  const recording = await recordChain();
  const isRemote = options.only.has("call") || options.only.has("grpc");
  const deployment = isRemote ? await startDeployment() : undefined;
  try {
    const local = [createLevelBench(recording), portBench, embeddedBench];
    const groups = [local, deployment === undefined ? [] : remoteBenches(deployment)];
    const plan = groups.flatMap((group) =>
      planOf(group.filter(({ name }) => options.only.has(name))),
    );
    const quiet = new QuietMeter(options.patienceMs);
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const { bench, atOnce, rounds } of plan) {
        const { warmUpMs, measureMs } = options;
        const sample = await quiet.measure(() => bench.measure({ atOnce, warmUpMs, measureMs }));
        rounds.push(sample);
        progress(`round ${round} of ${options.rounds}: ${lineOf(bench, atOnce, sample)}`);
      }
    }
    return { chain: sizeOf(recording), samples: plan };
  } finally {
    await deployment?.stop();
  }
}

function remoteBenches(deployment: Deployment): Bench[] {
  return [createCallBench(deployment), createGrpcBench(deployment)];
}

function planOf(
  benches: readonly Bench[],
): { bench: Bench; atOnce: Load["atOnce"]; rounds: Sample[] }[] {
  return loads.flatMap((atOnce) => benches.map((bench) => ({ bench, atOnce, rounds: [] })));
}

function lineOf(bench: Bench, atOnce: number, sample: Sample): string {
  const figures = `${sample.perSecond.toFixed(0)}/s, p99 ${sample.p99Ms.toFixed(1)} ms`;
  const others = `${(sample.otherCpuShare * 100).toFixed(0)} % CPU of others`;
  return `${bench.title}, ${atOnce} at once: ${figures}, ${others}`;
}
