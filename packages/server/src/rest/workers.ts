// SPDX-License-Identifier: Apache-2.0

import type { ManagementPort } from "@pawl/engine";
import { allInstances, callEngine } from "./early/error.js";
import { toTimeText } from "./instance-json.js";
import type { RestHandler } from "./router.js";

/** GET /v1.0/workers: the workers that are connected. */
export function getWorkers(engine: ManagementPort): RestHandler {
  return async ({ request }) => {
    request.resume();
    const workers = await callEngine("get", allInstances, () => engine.workers());
    const body = workers.map(({ workerId, connectedAt, ...rest }) => {
      return { id: workerId, ...rest, connectedAt: toTimeText(connectedAt) };
    });
    return { status: 200, body: { workers: body } };
  };
}
