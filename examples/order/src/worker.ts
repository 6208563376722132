// SPDX-License-Identifier: Apache-2.0

import { createOrderWorker } from "./order-worker.js";

const worker = createOrderWorker({ baseUrl: process.env.PAWL_URL ?? "http://127.0.0.1:3500" });

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void worker.stop());
}

await worker.run();
