// SPDX-License-Identifier: Apache-2.0

import { type EventRecord, limits, skipFrames, type TraceContext } from "@pawl/protocol";
import type { ActivityItem, TurnItem } from "@pawl/protocol/port";
import { inboundRecord, optional } from "../../core/event.js";
import type { Outcome } from "../../core/outcome.js";
import type { OwnedState } from "../../core/state.js";
import type { Piece } from "../../store/codec.js";
import type { ActivityWork, Worker } from "./worker.js";

/** The events of a turn: its start, and what the inbox holds, up to the limit. */
export function turnEvents(state: OwnedState, now: number): EventRecord[] {
  const { inbox } = state;
  const taken = inbox.length > limits.turnEvents ? inbox.slice(0, limits.turnEvents) : inbox;
  return [inboundRecord(now, { case: "workflowStarted", value: {} }), ...taken];
}

/**
 * How many events of the history the worker is taken to hold. One that keeps instances as its own
 * results left them cannot take a part of the past: it holds all of it, or nothing that is of use.
 */
export function cachedEventCount(worker: Worker, state: OwnedState): number {
  const cached = worker.cached.get(state.instanceId);
  if (cached === undefined || cached.executionId !== state.executionId) return 0;
  const { eventCount } = state.fold;
  if (worker.cache === "result") return cached.eventCount === eventCount ? eventCount : 0;
  return Math.min(cached.eventCount, eventCount);
}

/** Notes what the worker holds of the instance after its turn. The next turn may follow at once. */
export function noteCached(worker: Worker, state: OwnedState, outcome: Outcome): void {
  const { beginning, turn } = outcome;
  const appended = turn?.appended ?? [];
  if (appended.some(({ event }) => event.eventType.case === "executionCompleted")) {
    worker.cached.delete(state.instanceId);
  } else if (worker.cache === "result") {
    const { executionId } = beginning ?? state;
    const before = beginning === undefined ? state.fold.eventCount : 0;
    worker.cached.set(state.instanceId, { executionId, eventCount: before + appended.length });
  }
}

/** Puts a turn together. `pieces` is the whole history; unused when the worker holds all of it. */
export function turnItem(
  state: OwnedState,
  pieces: readonly Piece[],
  cached: number,
  events: readonly EventRecord[],
  token: string,
): TurnItem {
  return {
    kind: "turn",
    instanceId: state.instanceId,
    executionId: state.executionId,
    workflow: state.workflow,
    token,
    cachedEventCount: cached,
    pastEventCount: state.fold.eventCount,
    past: cached === state.fold.eventCount ? [] : framesAfter(pieces, cached),
    events,
    ...optional("propagated", state.propagated),
  };
}

/** Bytes of a turn on the wire, without its envelope. */
export function turnBytes(item: TurnItem): number {
  let bytes = item.propagated?.length ?? 0;
  for (const frames of item.past) bytes += frames.length;
  for (const record of item.events) bytes += record.bytes.length;
  return bytes;
}

function framesAfter(pieces: readonly Piece[], count: number): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let skip = count;
  for (const piece of pieces) {
    if (skip >= piece.eventCount) {
      skip -= piece.eventCount;
      continue;
    }
    frames.push(skip === 0 ? piece.frames : skipFrames(piece.frames, skip));
    skip = 0;
  }
  return frames;
}

/**
 * Puts an activity together. `ownTrace`: that of its span, in place of its workflow's; `propagated`: what
 * it may see of the histories above it.
 */
export function activityItem(
  work: ActivityWork,
  token: string,
  ownTrace: TraceContext | undefined,
  propagated: Uint8Array | undefined,
): ActivityItem | undefined {
  const { eventType } = work.record.event;
  if (eventType.case !== "taskScheduled") return undefined;
  const { name, version, input, taskExecutionId, parentTraceContext } = eventType.value;
  const { traceParent, traceState } = ownTrace ?? parentTraceContext ?? {};
  const item: { -readonly [K in keyof ActivityItem]: ActivityItem[K] } = {
    kind: "activity",
    instanceId: work.instanceId,
    executionId: work.executionId,
    taskId: work.taskId,
    name,
    taskExecutionId,
    token,
  };
  if (version !== undefined) item.version = version;
  if (input !== undefined) item.input = input;
  if (traceParent) item.traceParent = traceParent;
  if (traceState) item.traceState = traceState;
  if (propagated !== undefined) item.propagated = propagated;
  return item;
}
