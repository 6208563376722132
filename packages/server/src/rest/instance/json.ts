// SPDX-License-Identifier: Apache-2.0

import type { Instance } from "@pawl/engine";
import { toDaprInstance } from "../../dapr/instance.js";
import { parseExactly } from "../exact-json.js";
import { toInstanceJson, toTimeText } from "../instance-json.js";

/** An instance with all that the shipped form shows, and what it leaves out. */
export function toFullJson(instance: Instance): Record<string, unknown> {
  const { startedAt, completedAt, customStatus, tags, stallReason } = instance;
  return {
    ...toInstanceJson(toDaprInstance(instance, false)),
    ...(startedAt === undefined ? {} : { startTime: toTimeText(startedAt) }),
    ...(completedAt === undefined ? {} : { completionTime: toTimeText(completedAt) }),
    ...(customStatus === undefined ? {} : { customStatus: parseOrKeep(customStatus) }),
    ...(stallReason === undefined ? {} : { stallReason }),
    ...(Object.keys(tags).length === 0 ? {} : { metadata: tags }),
  };
}

/** The value of a JSON text; text that is none, or too deep to be read, stays as it is. */
function parseOrKeep(text: string): unknown {
  try {
    return parseExactly(text);
  } catch {
    return text;
  }
}
