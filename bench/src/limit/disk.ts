// SPDX-License-Identifier: Apache-2.0

import { Level } from "level";
import { ownCpuMs } from "../process/cpu.js";
import { makeTempFolder, removeTempFolder } from "../process/temp-folder.js";
import type { System } from "../system/system.js";
import { measure, measureOnce } from "../workload/measure.js";
import type { Sample, Task } from "../workload/sample.js";
import { BatchGroup } from "./batch-group.js";
import type { LoggedWrite } from "./level-log.js";
import { type RecordedRun, type Recording, recordChain, recordRun, sizeOf } from "./recording.js";

type Database = Level<Uint8Array, Uint8Array>;

/** As the engine opens its own. */
const levelOptions = {
  keyEncoding: "buffer",
  valueEncoding: "buffer",
  writeBufferSize: 8 * 1024 * 1024,
};

/**
 * The limit of the disk, measured with what the engine writes and nothing around it.
 * `together`: chains that are under way together go in step and share each batch: the best that group
 * commit could do. Otherwise the very batches of a run of the engine, one after the other.
 */
export async function open(
  _toolbox: unknown,
  { together }: Readonly<Record<string, string>>,
): Promise<System> {
  const recording = together === undefined ? undefined : await recordChain();
  return {
    measure: (task) =>
      withDatabase((db) =>
        recording === undefined ? replayRun(db, task) : writeTogether(db, recording, task),
      ),
    close: async () => {},
  };
}

async function withDatabase(run: (db: Database) => Promise<Sample>): Promise<Sample> {
  const folder = await makeTempFolder();
  const db: Database = new Level(folder, levelOptions);
  await db.open();
  try {
    return await run(db);
  } finally {
    await db.close();
    await removeTempFolder(folder);
  }
}

async function writeTogether(db: Database, recording: Recording, task: Task): Promise<Sample> {
  const group = new BatchGroup(recording, task.atOnce);
  let commits = 0;
  const run = async (): Promise<void> => {
    group.renew();
    for (const batch of group.batches) {
      await db.batch(batch, { sync: true });
      commits += 1;
    }
  };
  const readTotals = () => ({ cpuMs: { driver: ownCpuMs() }, commits });
  const work = { run, itemsPerRun: task.atOnce, runsAtOnce: 1, readTotals };
  return { ...(await measure(work, task)), facts: sizeOf(recording.batches) };
}

/** Latencies are those of one batch. What the engine wrote to warm up warms up this one, too. */
async function replayRun(db: Database, task: Task): Promise<Sample> {
  const recorded = await recordRun(task);
  let commits = 0;
  const readTotals = () => ({ cpuMs: { driver: ownCpuMs() }, commits });
  const write = async (batches: RecordedRun["batches"]): Promise<readonly number[]> => {
    const latencies: number[] = [];
    for (const batch of batches) {
      const startedAt = performance.now();
      await db.batch([...batch] satisfies LoggedWrite[], { sync: true });
      latencies.push(performance.now() - startedAt);
      commits += 1;
    }
    return latencies;
  };
  await write(recorded.warmUp);
  const sample = await measureOnce(recorded.chains, readTotals, () => write(recorded.batches));
  const { perSecond } = recorded;
  return { ...sample, facts: { ...sizeOf(recorded.batches), enginePerSecond: perSecond } };
}
