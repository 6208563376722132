// SPDX-License-Identifier: Apache-2.0

import type { ConnectedWorker } from "@pawl/protocol/port";
import type { Worker } from "../work/worker.js";

/** A worker as callers see it. */
export function connectedWorkerOf(worker: Worker): ConnectedWorker {
  const { workerId, registration, connectedAt, turnLimit, activityLimit } = worker;
  const { name, kind = "embedded", protocol, workflows, activities } = registration;
  return {
    workerId,
    name,
    kind,
    ...(protocol === undefined ? {} : { protocol }),
    connectedAt,
    ...(workflows === undefined ? {} : { workflows: [...workflows] }),
    ...(activities === undefined ? {} : { activities: [...activities] }),
    turnLoad: { count: worker.turns.size, limit: turnLimit },
    activityLoad: { count: worker.activities.size, limit: activityLimit },
    cachedCount: worker.cached.size,
  };
}
