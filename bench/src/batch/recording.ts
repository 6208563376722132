// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { createClient, createWorker } from "@pawl/client";
import { openEngine } from "@pawl/engine";
import { chain, increment, requireChainOutput } from "../fixtures.js";
import { makeTempFolder, removeTempFolder } from "../process/temp-folder.js";
import { type LoggedWrite, partsOf, readLoggedBatches } from "./level-log.js";

/** What the engine wrote for one chain. */
export interface Recording {
  readonly instanceId: string;
  /** Its batches in order, each a synced write. */
  readonly batches: readonly (readonly LoggedWrite[])[];
}

/** Chains that are run one after another. A disturbed one takes more batches than it needs. */
const recordedChains = 9;

/**
 * Runs chains on an engine of their own, one after another, and reads from LevelDB's log what was
 * written for each. Gives the one with the fewest batches.
 */
export async function recordChain(): Promise<Recording> {
  const folder = await makeTempFolder();
  try {
    const instanceIds = await runChains(folder);
    const batches = await readLoggedBatches(join(folder, "db"));
    const recordings = instanceIds.map((instanceId) => {
      const isOwn = ({ key }: LoggedWrite): boolean => key.includes(instanceId);
      return { instanceId, batches: batches.filter((writes) => writes.some(isOwn)) };
    });
    recordings.sort((a, b) => a.batches.length - b.batches.length);
    const [best] = recordings;
    if (best === undefined || best.batches.length === 0) throw new Error("nothing was logged");
    return best;
  } finally {
    await removeTempFolder(folder);
  }
}

async function runChains(dataDir: string): Promise<string[]> {
  const engine = await openEngine({ dataDir });
  const client = createClient({ engine });
  const worker = createWorker({ client, workflows: [chain], activities: [increment] });
  await worker.start();
  const instanceIds = Array.from({ length: recordedChains }, () => randomUUID());
  for (const instanceId of instanceIds) {
    const handle = await client.start(chain, 0, { instanceId });
    requireChainOutput(await handle.result());
  }
  await worker.stop();
  await engine.close();
  return instanceIds;
}

/** Sums of a recording. */
export function sizeOf(recording: Recording): { batches: number; writes: number; bytes: number } {
  const writes = recording.batches.flat();
  const bytes = writes.flatMap(partsOf).reduce((sum, part) => sum + part.length, 0);
  return { batches: recording.batches.length, writes: writes.length, bytes };
}
