// SPDX-License-Identifier: Apache-2.0

import { decodeFrames, type EventRecord, type HistoryPropagationScope } from "@pawl/protocol";
import { eventsUpTo, isScope, propagate } from "../../core/propagation.js";
import type { Piece } from "../../store/codec.js";
import type { ActivityWork } from "./worker.js";

/** The events of a history in memory. */
export function recordsOf(pieces: readonly Piece[]): EventRecord[] {
  return pieces.flatMap(({ frames }) => decodeFrames(frames));
}

/** True when an activity is given its workflow's history. */
export function isGivenHistory({ record }: ActivityWork): boolean {
  return isScope(scopeOf(record));
}

/**
 * What an activity may see of the histories above it; `pieces` is the history of its workflow. An
 * execution that is gone has none.
 */
export function propagatedTo(
  { mailbox: { state }, executionId, taskId, record }: ActivityWork,
  pieces: readonly Piece[],
  appId: string,
): Uint8Array | undefined {
  if (state?.executionId !== executionId) return undefined;
  const events = eventsUpTo(recordsOf(pieces), taskId);
  return events && propagate({ ...state, appId }, scopeOf(record), events);
}

function scopeOf({ event }: EventRecord): HistoryPropagationScope | undefined {
  const { eventType } = event;
  return eventType.case === "taskScheduled" ? eventType.value.historyPropagationScope : undefined;
}
