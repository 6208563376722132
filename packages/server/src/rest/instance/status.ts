// SPDX-License-Identifier: Apache-2.0

import type { InstanceStatus } from "@pawl/engine";
import { instanceStatuses } from "@pawl/protocol/message";
import { malformed } from "../malformed.js";

/** Reads a status in any case. Rejects with ERR_MALFORMED_REQUEST. */
export function parseStatus(text: string): InstanceStatus {
  const status = instanceStatuses.find((name) => name === text.toLowerCase());
  if (status === undefined) {
    const names = instanceStatuses.join(", ").toUpperCase();
    throw malformed(`there is no status "${text}"; there are ${names}`);
  }
  return status;
}
