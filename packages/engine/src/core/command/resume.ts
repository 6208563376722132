// SPDX-License-Identifier: Apache-2.0

import { inboundRecord, optional } from "../event.js";
import { nothing, type Outcome } from "../outcome.js";
import type { InstanceState } from "../state.js";
import { hasEnded, requireNotStalled } from "../status.js";

/**
 * Lets a suspended instance go on. No effect on an ended instance.
 * @throws INSTANCE_STALLED
 */
export function resume(state: InstanceState, reason: string | undefined, now: number): Outcome {
  if (hasEnded(state)) return nothing;
  requireNotStalled(state);
  const record = inboundRecord(now, {
    case: "executionResumed",
    value: optional("input", reason),
  });
  return { accepted: [record], messages: [] };
}
