// SPDX-License-Identifier: Apache-2.0

import { fromTimestamp, type HistoryEvent, StalledReason } from "@pawl/protocol";
import type { SpanEvent } from "../../port/tracing.js";

/** Events of one span; past it the oldest go, as in OpenTelemetry's own spans. */
export const spanEventLimit = 128;

/** What a history event is in the span of its workflow: one event, or none (engine semantics 8.6). */
export function spanEventsOf(event: HistoryEvent): SpanEvent[] {
  const { eventType, timestamp } = event;
  const at = timestamp === undefined ? 0 : fromTimestamp(timestamp);
  switch (eventType.case) {
    case "eventRaised": {
      const { name, input = "" } = eventType.value;
      const size = Buffer.byteLength(input);
      return [{ name: "Received external event", at, attributes: { name, size } }];
    }
    case "executionSuspended":
      return [
        {
          name: "Execution suspended",
          at,
          attributes: { reason: eventType.value.input ?? "" },
        },
      ];
    case "executionResumed":
      return [
        { name: "Execution resumed", at, attributes: { reason: eventType.value.input ?? "" } },
      ];
    case "executionStalled": {
      const { reason, description = "" } = eventType.value;
      const attributes = { reason: StalledReason[reason] ?? String(reason), description };
      return [{ name: "Execution stalled", at, attributes }];
    }
    default:
      return [];
  }
}
