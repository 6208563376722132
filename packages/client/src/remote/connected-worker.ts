// SPDX-License-Identifier: Apache-2.0

import {
  fromTimestamp,
  WorkerKind as KindNumber,
  type ConnectedWorker as WorkerMessage,
} from "@pawl/protocol";
import type { ConnectedWorker, WorkerKind } from "../port.js";

const kinds: Readonly<Record<KindNumber, WorkerKind>> = {
  [KindNumber.UNSPECIFIED]: "pawl",
  [KindNumber.EMBEDDED]: "embedded",
  [KindNumber.PAWL]: "pawl",
  [KindNumber.DURABLE_TASK]: "durable-task",
};

const idle = { count: 0, limit: 0 };

/** The worker that a message describes. */
export function fromWorkerMessage(message: WorkerMessage): ConnectedWorker {
  const { workerId, name, kind, protocol, connectedAt, cachedCount } = message;
  const { turnLoad = idle, activityLoad = idle } = message;
  return {
    workerId,
    name,
    // One that only a newer server knows is on the network in any case.
    kind: kinds[kind] ?? "pawl",
    ...(protocol === "" ? {} : { protocol }),
    connectedAt: connectedAt === undefined ? 0 : fromTimestamp(connectedAt),
    ...(message.everyWorkflow ? {} : { workflows: message.workflows }),
    ...(message.everyActivity ? {} : { activities: message.activities }),
    turnLoad: { count: turnLoad.count, limit: turnLoad.limit },
    activityLoad: { count: activityLoad.count, limit: activityLoad.limit },
    cachedCount,
  };
}
