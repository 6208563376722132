// SPDX-License-Identifier: Apache-2.0

import type { Client } from "@pawl/client";
import { isSleeper } from "../check/observe.ts";
import type { Violation } from "../check/violation.ts";

/**
 * Waits for the instances that have nobody who waits for them: the children of terminated ones,
 * and those whose start was never acknowledged.
 */
export async function waitForAll(client: Client, limitMs: number): Promise<Violation[]> {
  const deadline = Date.now() + limitMs;
  const rule = "everything ends once the kills are over";
  const late: Violation[] = [];
  for (const status of ["pending", "running", "suspended", "stalled"] as const) {
    const open = client.list({ statuses: [status], payloads: false, pageSize: 1000 });
    for await (const { instanceId } of open) {
      if (isSleeper(instanceId)) continue;
      const timeoutMs = Math.max(1, deadline - Date.now());
      try {
        await client.waitForCompletion(instanceId, { timeoutMs });
      } catch (error) {
        late.push({ rule, instanceId, found: `it is ${status}: ${error}` });
      }
    }
  }
  return late;
}
