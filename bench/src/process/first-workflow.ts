// SPDX-License-Identifier: Apache-2.0

// A program: opens the engine on the folder that it is given, runs one chain, prints a line when it
// has ended, and stays until a signal.

import { createClient, createWorker } from "@pawl/client";
import { openEngine } from "@pawl/engine";
import { chain, increment, runChain } from "../workload/fixtures.js";

const [dataDir = ""] = process.argv.slice(2);
const engine = await openEngine({ dataDir });
const client = createClient({ engine });
const worker = createWorker({ client, workflows: [chain], activities: [increment] });
const stay = setInterval(() => {}, 1000);
const stop = async (): Promise<void> => {
  clearInterval(stay);
  await worker.stop();
  await engine.close();
};
process.once("SIGTERM", () => void stop());
process.once("SIGINT", () => void stop());
await worker.start();
await runChain(client);
process.stdout.write("workflow ended\n");
