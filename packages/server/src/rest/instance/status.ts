// SPDX-License-Identifier: Apache-2.0

import type { InstanceStatus } from "@pawl/engine";
import { malformed } from "./query.js";

const statuses: ReadonlySet<string> = new Set<InstanceStatus>([
  "pending",
  "running",
  "suspended",
  "stalled",
  "completed",
  "failed",
  "terminated",
]);

function isStatus(text: unknown): text is InstanceStatus {
  return typeof text === "string" && statuses.has(text);
}

/** Reads a status in any case. Rejects with ERR_MALFORMED_REQUEST. */
export function parseStatus(text: string): InstanceStatus {
  const status = text.toLowerCase();
  if (!isStatus(status)) throw malformed(`there is no status "${text}"`);
  return status;
}
