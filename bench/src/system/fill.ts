// SPDX-License-Identifier: Apache-2.0

import { createClient } from "@pawl/client";
import { openEngine } from "@pawl/engine";
import { waiting } from "../workload/fixtures.js";
import { connectChainWorker, runChainOnPort } from "./port-worker.js";

/** Instances on their way at the same time: more share a synced write, but outlive young garbage meanwhile. */
const atOnce = 1024;

/**
 * Fills a store by running the engine: `unfinished` instances that nobody works on, and chains that
 * have ended for the rest.
 */
export async function fillStore(
  dataDir: string,
  stored: number,
  unfinished: number,
): Promise<void> {
  const engine = await openEngine({ dataDir });
  const session = connectChainWorker(engine);
  const client = createClient({ engine });
  await repeat(stored - unfinished, () => runChainOnPort(engine));
  session.close();
  await repeat(unfinished, async () => void (await client.start(waiting)));
  await engine.close();
}

async function repeat(count: number, run: () => Promise<void>): Promise<void> {
  let left = count;
  const runMany = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await run();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runMany));
}
