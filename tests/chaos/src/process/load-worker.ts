// SPDX-License-Identifier: Apache-2.0

import type { Transport } from "@connectrpc/connect";
import { createWorker, type Worker } from "@pawl/client";
import type { ActivityLog } from "../load/activity-log.ts";
import { createActivities, workflows } from "../load/definitions.ts";

const silent = { info() {}, warn() {}, error() {} };

/** A worker in this process, which is not killed: it comes back whenever there is a server. */
export function createLoadWorker(transport: Transport, log: ActivityLog): Worker {
  return createWorker({
    transport,
    workflows,
    activities: createActivities(log),
    name: "load",
    // Instances are let go of now and then, so that both ways of replay are used.
    cacheLimit: 50,
    logger: silent,
  });
}
