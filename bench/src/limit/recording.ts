// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type Client, createClient, createWorker } from "@pawl/client";
import { openEngine } from "@pawl/engine";
import { makeTempFolder, removeTempFolder } from "../process/temp-folder.js";
import { chain, chainOutput, ownWorker, requireOutput, runChain } from "../workload/fixtures.js";
import { type LoggedWrite, partsOf, readLoggedBatches } from "./level-log.js";

/** What the engine wrote for one chain. */
export interface Recording {
  readonly instanceId: string;
  /** Its batches in order, each a synced write. */
  readonly batches: readonly (readonly LoggedWrite[])[];
}

/** What the engine wrote in a run of many chains, and how fast it was. */
export interface RecordedRun {
  readonly chains: number;
  readonly perSecond: number;
  readonly batches: readonly (readonly LoggedWrite[])[];
}

/** Chains that are run one after another. A disturbed one takes more batches than it needs. */
const recordedChains = 9;

/** Chains of a run: few enough for LevelDB to keep all of their batches in its log. */
const runChains = 1200;

/**
 * Runs chains on an engine of their own, one after another, and reads from LevelDB's log what was
 * written for each. Gives the one with the fewest batches.
 */
export async function recordChain(): Promise<Recording> {
  const instanceIds = Array.from({ length: recordedChains }, () => randomUUID());
  const batches = await record(async (client) => {
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

/** Runs chains, so many at once, for `measureMs` at most, and reads what was written for all. */
export async function recordRun(atOnce: number, measureMs: number): Promise<RecordedRun> {
  let chains = 0;
  let elapsedMs = 0;
  const batches = await record(async (client) => {
    const startedAt = performance.now();
    const isOver = (): boolean =>
      chains + atOnce > runChains || performance.now() - startedAt > measureMs;
    const runMany = async (): Promise<void> => {
      do {
        await runChain(client);
        chains += 1;
      } while (!isOver());
    };
    await Promise.all(Array.from({ length: atOnce }, runMany));
    elapsedMs = performance.now() - startedAt;
  });
  return { chains, perSecond: (chains / elapsedMs) * 1000, batches };
}

async function record(
  run: (client: Client) => Promise<void>,
): Promise<readonly (readonly LoggedWrite[])[]> {
  const dataDir = await makeTempFolder();
  try {
    const engine = await openEngine({ dataDir });
    const client = createClient({ engine });
    const worker = createWorker({ client, ...ownWorker });
    await worker.start();
    await run(client);
    await worker.stop();
    await engine.close();
    return await readLoggedBatches(join(dataDir, "db"));
  } finally {
    await removeTempFolder(dataDir);
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
