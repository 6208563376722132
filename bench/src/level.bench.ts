// SPDX-License-Identifier: Apache-2.0

import { Level } from "level";
import { BatchGroup } from "./batch/batch-group.js";
import type { Recording } from "./batch/recording.js";
import type { Bench } from "./bench.js";
import { measure } from "./measure.js";
import { ownCpuMs } from "./process/cpu.js";
import { makeTempFolder, removeTempFolder } from "./process/temp-folder.js";

/**
 * The limit of the disk: the batches that the engine writes for a chain, written with nothing
 * around them. Chains that are under way together share each batch.
 */
export function createLevelBench(recording: Recording): Bench {
  return {
    name: "level",
    title: "limit: LevelDB batches",
    unit: "workflow",
    async measure(load) {
      const folder = await makeTempFolder();
      const db = new Level<Uint8Array, Uint8Array>(folder, {
        keyEncoding: "buffer",
        valueEncoding: "buffer",
      });
      await db.open();
      const group = new BatchGroup(recording, load.atOnce);
      let commits = 0;
      const run = async (): Promise<void> => {
        group.renew();
        for (const batch of group.batches) {
          await db.batch(batch, { sync: true });
          commits += 1;
        }
      };
      const readTotals = () => ({ cpuMs: { bench: ownCpuMs() }, commits });
      try {
        return await measure({ run, itemsPerRun: load.atOnce, runsAtOnce: 1, readTotals }, load);
      } finally {
        await db.close();
        await removeTempFolder(folder);
      }
    },
  };
}
