// SPDX-License-Identifier: Apache-2.0

import { createWorker, type Logger, type Worker, type WorkerOptions } from "@pawl/client";
import { definitions } from "./order.js";

/** One line a step on stderr; stdout is for those who wait for the server. */
const logger: Logger = {
  info: (facts, message) => console.error(line(facts, message)),
  warn: (facts, message) => console.error(line(facts, message)),
  error: (facts, message) => console.error(line(facts, message)),
};

/** A worker that runs orders for a server, or an engine in this process. */
export function createOrderWorker(where: Pick<WorkerOptions, "baseUrl" | "engine">): Worker {
  return createWorker({ ...where, name: "order sample", ...definitions, logger });
}

function line(facts: Readonly<Record<string, unknown>>, message: string): string {
  const error = facts.error === undefined ? "" : ` (${String(facts.error)})`;
  return `${String(facts.instanceId ?? "order sample")}: ${message}${error}`;
}
