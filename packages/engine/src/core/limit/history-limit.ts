// SPDX-License-Identifier: Apache-2.0

import { limits, type TaskFailureDetails } from "@pawl/protocol";
import { finalFailure } from "../event.js";
import type { InstanceState } from "../state.js";

/** How much history an execution may have; what is absent has its usual limit. */
export interface HistoryBounds {
  readonly events?: number;
  readonly bytes?: number;
}

/**
 * Why an execution cannot go on: with `added` events its history would be over the limit, or it has
 * reached it in bytes. Undefined: it can. One such history would be a burden for all instances.
 */
export function historyExcess(
  { fold }: InstanceState,
  facts: { readonly historyBytes?: number; readonly historyLimit?: HistoryBounds },
  added: number,
): TaskFailureDetails | undefined {
  const { historyBytes = 0, historyLimit } = facts;
  if (historyLimit === undefined) return undefined;
  const { events = limits.historyEvents, bytes = limits.historyBytes } = historyLimit;
  const advice = "use continue-as-new, or keep large data elsewhere";
  if (fold.eventCount + added > events) {
    const text = `the history has ${fold.eventCount} events, and ${added} more are over the limit of ${events}: ${advice}`;
    return finalFailure("HistoryTooLarge", text);
  }
  if (historyBytes < bytes) return undefined;
  const text = `the history has ${historyBytes} bytes; the limit is ${bytes}: ${advice}`;
  return finalFailure("HistoryTooLarge", text);
}
