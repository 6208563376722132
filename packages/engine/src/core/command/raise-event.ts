// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "../../errors.js";
import { inboundRecord, optional } from "../event.js";
import { nothing, type Outcome } from "../outcome.js";
import type { InstanceState } from "../state.js";
import { hasEnded } from "../status.js";

/**
 * Puts an external event into the inbox. An ended instance drops it (engine semantics 2.4).
 * @throws INSTANCE_STALLED
 */
export function raiseEvent(
  state: InstanceState,
  event: { readonly name: string; readonly input: string | undefined },
  now: number,
): Outcome {
  if (hasEnded(state)) return nothing;
  requireNotStalled(state);
  const record = inboundRecord(now, {
    case: "eventRaised",
    value: { name: event.name, ...optional("input", event.input) },
  });
  return { accepted: [record], messages: [] };
}

/** @throws INSTANCE_STALLED */
function requireNotStalled(state: InstanceState): void {
  if (state.fold.stall === undefined) return;
  throw new EngineError(
    "INSTANCE_STALLED",
    `workflow is stalled: ${state.fold.stall.description}`,
    { details: { instanceId: state.instanceId } },
  );
}
