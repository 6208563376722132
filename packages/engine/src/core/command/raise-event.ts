// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import { EngineError } from "../../errors.js";
import { inboundRecord, optional } from "../event.js";
import { nothing, type Outcome } from "../outcome.js";
import type { InstanceState } from "../state.js";
import { hasEnded } from "../status.js";

/**
 * Puts an external event into the inbox. An ended instance drops it (engine semantics 2.4). A stalled
 * one keeps it, and is tried again.
 * @throws RESOURCE_EXHAUSTED when too many wait for its turns already
 */
export function raiseEvent(
  state: InstanceState,
  event: { readonly name: string; readonly input: string | undefined },
  now: number,
): Outcome {
  if (hasEnded(state)) return nothing;
  if (state.inbox.length >= limits.inboxEvents) {
    const { instanceId } = state;
    throw new EngineError(
      "RESOURCE_EXHAUSTED",
      `${limits.inboxEvents} events wait for the turns of '${instanceId}' already: try again later`,
      { details: { instanceId, limit: String(limits.inboxEvents) } },
    );
  }
  const record = inboundRecord(now, {
    case: "eventRaised",
    value: { name: event.name, ...optional("input", event.input) },
  });
  return { accepted: [record], messages: [] };
}
