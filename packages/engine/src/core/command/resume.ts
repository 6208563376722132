// SPDX-License-Identifier: Apache-2.0

import { inboundRecord, optional } from "../event.js";
import { nothing, type Outcome } from "../outcome.js";
import type { InstanceState } from "../state.js";
import { hasEnded } from "../status.js";

/** Lets a suspended instance go on. No effect on an ended instance. */
export function resume(state: InstanceState, reason: string | undefined, now: number): Outcome {
  if (hasEnded(state)) return nothing;
  const record = inboundRecord(now, {
    case: "executionResumed",
    value: optional("input", reason),
  });
  return { accepted: [record], messages: [] };
}
