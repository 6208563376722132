// SPDX-License-Identifier: Apache-2.0

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ConnectedWorker, WorkerKind } from "@pawl/engine";
import { type ConnectedWorkerSchema, WorkerKind as KindMessage, toTimestamp } from "@pawl/protocol";

const kinds: Readonly<Record<WorkerKind, KindMessage>> = {
  embedded: KindMessage.EMBEDDED,
  pawl: KindMessage.PAWL,
  "durable-task": KindMessage.DURABLE_TASK,
};

/** A connected worker as a message. */
export function toWorkerMessage(
  worker: ConnectedWorker,
): MessageInitShape<typeof ConnectedWorkerSchema> {
  const { kind, protocol = "", connectedAt, workflows, activities, ...rest } = worker;
  return {
    ...rest,
    kind: kinds[kind],
    protocol,
    connectedAt: toTimestamp(connectedAt),
    workflows: [...(workflows ?? [])],
    everyWorkflow: workflows === undefined,
    activities: [...(activities ?? [])],
    everyActivity: activities === undefined,
  };
}
