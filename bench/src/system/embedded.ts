// SPDX-License-Identifier: Apache-2.0

import { createClient, createWorker } from "@pawl/client";
import { openEngine } from "@pawl/engine";
import { ownWorker, runChain } from "../workload/fixtures.js";
import { clientWorkloads } from "./client-workloads.js";
import { connectChainWorker, runChainOnPort } from "./port-worker.js";
import { createSleep, sleeper } from "./sleep.js";
import type { Toolbox, WorkflowSystem } from "./system.js";

/**
 * Engine and worker in this process. With `ports` the worker is a hand-written one on the engine's
 * ports: what client and worker add is the difference.
 */
export async function open(
  { makeTempFolder }: Toolbox,
  { ports }: Readonly<Record<string, string>>,
): Promise<WorkflowSystem> {
  const engine = await openEngine({ dataDir: await makeTempFolder() });
  const common = { pids: {}, countCommits: () => engine.commitCount() };
  if (ports !== undefined) {
    const session = connectChainWorker(engine);
    return {
      ...common,
      chain: () => runChainOnPort(engine),
      close: async () => {
        session.close();
        await engine.close();
      },
    };
  }
  const client = createClient({ engine });
  const worker = createWorker({
    client,
    ...ownWorker,
    workflows: [...ownWorker.workflows, sleeper],
  });
  await worker.start();
  return {
    ...common,
    ...clientWorkloads(client),
    chain: () => runChain(client),
    sleep: createSleep(client),
    close: async () => {
      await worker.stop();
      await engine.close();
    },
  };
}
