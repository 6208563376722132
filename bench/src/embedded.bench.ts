// SPDX-License-Identifier: Apache-2.0

import { createClient, createWorker } from "@pawl/client";
import { type Engine, openEngine } from "@pawl/engine";
import type { Bench, Load, Sample } from "./bench.js";
import { connectChainWorker, runChainOnPort } from "./chain-port.js";
import { chain, increment, runChain } from "./fixtures.js";
import { measure } from "./measure.js";
import { ownCpuMs } from "./process/cpu.js";
import { makeTempFolder, removeTempFolder } from "./process/temp-folder.js";

/** Chains with the client and its worker, all in this process. */
export const embeddedBench: Bench = {
  name: "embedded",
  title: "embedded",
  unit: "workflow",
  limit: { bench: "level", perItem: 1 },
  measure: (load) =>
    measureOnEngine(load, async (engine) => {
      const client = createClient({ engine });
      const worker = createWorker({ client, workflows: [chain], activities: [increment] });
      await worker.start();
      return { run: () => runChain(client), stop: () => worker.stop() };
    }),
};

/** Chains on the engine's ports alone: what the client and its worker add is the difference. */
export const portBench: Bench = {
  name: "port",
  title: "embedded, engine's ports only",
  unit: "workflow",
  limit: { bench: "level", perItem: 1 },
  measure: (load) =>
    measureOnEngine(load, async (engine) => {
      const session = connectChainWorker(engine);
      return { run: () => runChainOnPort(engine), stop: async () => session.close() };
    }),
};

interface Driver {
  run(): Promise<void>;
  stop(): Promise<void>;
}

async function measureOnEngine(
  load: Load,
  drive: (engine: Engine) => Promise<Driver>,
): Promise<Sample> {
  const dataDir = await makeTempFolder();
  const engine = await openEngine({ dataDir });
  const { run, stop } = await drive(engine);
  const readTotals = () => ({ cpuMs: { bench: ownCpuMs() }, commits: engine.commitCount() });
  try {
    return await measure({ run, itemsPerRun: 1, runsAtOnce: load.atOnce, readTotals }, load);
  } finally {
    await stop();
    await engine.close();
    await removeTempFolder(dataDir);
  }
}
