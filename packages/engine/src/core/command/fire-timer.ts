// SPDX-License-Identifier: Apache-2.0

import { toTimestamp } from "@pawl/protocol";
import { inboundRecord } from "../event.js";
import { nothing, type Outcome } from "../outcome.js";
import { isWanted } from "../resolution-key.js";
import type { InstanceState } from "../state.js";
import { hasEnded } from "../status.js";

/** A timer as the store has it. */
export interface TimerFacts {
  readonly generation: number;
  readonly timerId: number;
  /** Instant in milliseconds. */
  readonly fireAt: number;
}

/**
 * Puts the firing of a timer into the inbox. A timer of an earlier generation, a cleared one and
 * one that has fired change nothing (engine semantics 4.8, 5.1).
 */
export function fireTimer(state: InstanceState, facts: TimerFacts, now: number): Outcome {
  if (hasEnded(state) || state.generation !== facts.generation) return nothing;
  const timer = state.fold.timers.get(facts.timerId);
  // An id that was purged and used again may have another timer of this number.
  if (timer === undefined || timer.fireAt !== facts.fireAt) return nothing;
  const record = inboundRecord(now, {
    case: "timerFired",
    value: { timerId: facts.timerId, fireAt: timer.exactFireAt ?? toTimestamp(timer.fireAt) },
  });
  return isWanted(state, record.event) ? { accepted: [record], messages: [] } : nothing;
}
