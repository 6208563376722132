// SPDX-License-Identifier: Apache-2.0

// A program: a worker for the benchmark's workflows. Takes the server's address as its argument,
// prints one line when it is connected, ends at a signal.

import { createWorker } from "@pawl/client";
import { ownWorker } from "../workload/fixtures.js";

const [baseUrl = ""] = process.argv.slice(2);
const worker = createWorker({ baseUrl, ...ownWorker });
const stop = (): void => {
  void worker.stop().then(() => process.exit());
};
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
await worker.start();
process.stdout.write("worker ready\n");
