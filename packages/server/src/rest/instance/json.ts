// SPDX-License-Identifier: Apache-2.0

import type { Instance } from "@pawl/engine";
import { toDaprInstance } from "../../dapr/instance.js";
import { exactly } from "../exact-json.js";
import { toInstanceJson, toTimeText } from "../instance-json.js";

/** An instance with all that the shipped form shows, and what it leaves out. */
export function toFullJson(instance: Instance): Record<string, unknown> {
  const { startedAt, completedAt, customStatus, tags, stallReason } = instance;
  return {
    ...toInstanceJson(toDaprInstance(instance, false)),
    ...(startedAt === undefined ? {} : { startTime: toTimeText(startedAt) }),
    ...(completedAt === undefined ? {} : { completionTime: toTimeText(completedAt) }),
    ...(customStatus === undefined ? {} : { customStatus: exactly(customStatus) }),
    ...(stallReason === undefined ? {} : { stallReason }),
    ...(Object.keys(tags).length === 0 ? {} : { metadata: tags }),
  };
}
