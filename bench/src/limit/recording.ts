// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type Client, createClient, createWorker } from "@pawl/client";
import { type Engine, openEngine } from "@pawl/engine";
import { makeTempFolder, removeTempFolder } from "../process/temp-folder.js";
import { chain, chainOutput, ownWorker, requireOutput, runChain } from "../workload/fixtures.js";
import { measure } from "../workload/measure.js";
import type { Task, Totals } from "../workload/sample.js";
import { type LoggedWrite, partsOf, readLoggedBatches } from "./level-log.js";
import { LogKeeper } from "./log-keeper.js";

/** What the engine wrote for one chain. */
export interface Recording {
  readonly instanceId: string;
  /** Its batches in order, each a synced write. */
  readonly batches: readonly (readonly LoggedWrite[])[];
}

/** What the engine wrote in a run of many chains, and how fast it was. */
export interface RecordedRun {
  /** What was written before: a store that has been at work costs more than an empty one. */
  readonly warmUp: readonly (readonly LoggedWrite[])[];
  /** What was written while it was measured. */
  readonly batches: readonly (readonly LoggedWrite[])[];
  /** Chains that ended while it was measured. */
  readonly chains: number;
  readonly perSecond: number;
}

/** Chains that are run one after another. A disturbed one takes more batches than it needs. */
const recordedChains = 9;

/**
 * Runs chains on an engine of their own, one after another, and reads from LevelDB's log what was
 * written for each. Gives the one with the fewest batches.
 */
export async function recordChain(): Promise<Recording> {
  const instanceIds = Array.from({ length: recordedChains }, () => randomUUID());
  const { batches } = await record(async (client) => {
    for (const instanceId of instanceIds) {
      const handle = await client.start(chain, 0, { instanceId });
      requireOutput(await handle.result(), chainOutput);
    }
  });
  const recordings = instanceIds.map((instanceId) => {
    const isOwn = ({ key }: LoggedWrite): boolean => key.includes(instanceId);
    return { instanceId, batches: batches.filter((writes) => writes.some(isOwn)) };
  });
  recordings.sort((a, b) => a.batches.length - b.batches.length);
  const [best] = recordings;
  if (best === undefined || best.batches.length === 0) throw new Error("nothing was logged");
  return best;
}

/**
 * Measures chains on an engine of their own, as every system that runs them is measured, and reads from
 * LevelDB's log what was written for all.
 */
export async function recordRun(task: Task): Promise<RecordedRun> {
  const marks: number[] = [];
  const { batches, found } = await record(async (client, engine) => {
    const readTotals = (): Totals => {
      marks.push(engine.commitCount());
      return { cpuMs: {} };
    };
    const run = (): Promise<void> => runChain(client);
    const work = { run, itemsPerRun: 1, runsAtOnce: task.atOnce, readTotals };
    const { items, perSecond } = await measure(work, task);
    return { items, perSecond, commits: engine.commitCount() };
  });
  // Writes of the opening are logged, too, and are no commits.
  const [begin, end] = marks.map((commits) => batches.length - found.commits + commits);
  return {
    warmUp: batches.slice(0, begin),
    batches: batches.slice(begin, end),
    chains: found.items,
    perSecond: found.perSecond,
  };
}

/** Runs something on a new engine; gives what was logged by then and what the run gave. */
async function record<Found>(
  run: (client: Client, engine: Engine) => Promise<Found>,
): Promise<{ batches: readonly (readonly LoggedWrite[])[]; found: Found }> {
  const dataDir = await makeTempFolder();
  const logs = await makeTempFolder();
  try {
    const engine = await openEngine({ dataDir });
    const keeper = new LogKeeper(join(dataDir, "db"), logs);
    const client = createClient({ engine });
    const worker = createWorker({ client, ...ownWorker });
    await worker.start();
    const found = await run(client, engine);
    await worker.stop();
    await engine.close();
    keeper.close();
    return { batches: await readLoggedBatches(logs), found };
  } finally {
    await removeTempFolder(dataDir);
    await removeTempFolder(logs);
  }
}

/** Sums of recorded batches. */
export function sizeOf(batches: Recording["batches"]): {
  batches: number;
  writes: number;
  bytes: number;
} {
  const writes = batches.flat();
  const bytes = writes.flatMap(partsOf).reduce((sum, part) => sum + part.length, 0);
  return { batches: batches.length, writes: writes.length, bytes };
}
