// SPDX-License-Identifier: Apache-2.0

import { toJson } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import {
  type EventRecord,
  type ExecutionStartedEvent,
  fromTimestamp,
  OrchestrationStatus,
  toTimestamp,
} from "@pawl/protocol";
import type { Span, SpanAttribute, SpanEvent } from "../../port/tracing.js";
import type { Outcome } from "../outcome.js";
import { executionStart, type InstanceState, type OpenTimer } from "../state.js";
import { spanEventLimit, spanEventsOf } from "./span-event.js";
import { parseTraceParent, type TraceParts } from "./trace-context.js";
import { spanIdOf } from "./trace-id.js";

/** The span of an execution: what its other spans hang on. */
interface Root {
  readonly started: ExecutionStartedEvent;
  readonly caller: TraceParts;
  readonly spanId: string;
}

/**
 * The spans that end with an outcome: those of timers that the turn was told of, and that of the
 * execution when it ends or continues as new. `state` is that before the outcome. Names, kinds and
 * attributes are Dapr's (engine semantics 8.6).
 */
export function turnSpans(
  state: InstanceState,
  outcome: Outcome,
  createId: () => string,
  now: number,
): Span[] {
  const root = rootOf(state);
  const { turn, beginning } = outcome;
  if (root === undefined || turn === undefined) return [];
  const taken = state.inbox.slice(0, turn.consumed);
  const spans: Span[] = [];
  for (const { event } of taken) {
    const { eventType } = event;
    if (eventType.case !== "timerFired") continue;
    const open = state.fold.timers.get(eventType.value.timerId);
    if (open !== undefined) spans.push(timerSpan(state, root, open, createId, now));
  }
  if (beginning !== undefined || turn.appended.some(isEnd)) {
    spans.push(workflowSpan(state, root, { taken, appended: turn.appended }, now));
  }
  return spans;
}

/** Undefined: the execution is in no trace, or its spans are not recorded. */
function rootOf(state: InstanceState): Root | undefined {
  const started = executionStart(state);
  const spanId = started?.workflowSpanID;
  const caller =
    started?.parentTraceContext && parseTraceParent(started.parentTraceContext.traceParent);
  return started && spanId && caller ? { started, caller, spanId } : undefined;
}

function isEnd({ event }: EventRecord): boolean {
  return event.eventType.case === "executionCompleted";
}

/** From its creation to the turn that was told of its firing. */
function timerSpan(
  { instanceId }: InstanceState,
  { started, caller, spanId }: Root,
  { timerId, createdAt, fireAt }: OpenTimer,
  createId: () => string,
  now: number,
): Span {
  return {
    name: "timer",
    kind: "internal",
    traceId: caller.traceId,
    spanId: spanIdOf(createId()),
    parentSpanId: spanId,
    ...stateOf(started),
    startAt: createdAt,
    endAt: now,
    attributes: {
      "durabletask.type": "timer",
      "durabletask.fire_at": secondsOf(fireAt),
      "durabletask.task.task_id": timerId,
      "durabletask.task.instance_id": instanceId,
    },
    events: [],
  };
}

/** What a turn took from the inbox, and what it wrote. */
interface TurnEvents {
  readonly taken: readonly EventRecord[];
  readonly appended: readonly EventRecord[];
}

function workflowSpan(
  state: InstanceState,
  { started, caller, spanId }: Root,
  { taken, appended }: TurnEvents,
  now: number,
): Span {
  const { instanceId, workflow, fold, createdAt } = state;
  const end = appended.find(isEnd);
  const { status, error } = endOf(end);
  const [opening] = appended;
  const startedAt = fold.startedAt === 0 ? instantOf(opening, now) : fold.startedAt;
  const patches = [...fold.patches, ...patchesOf(opening)];
  const attributes: Record<string, SpanAttribute> = {
    "durabletask.type": "orchestration",
    "durabletask.task.name": workflow,
    "durabletask.task.instance_id": instanceId,
    ...versionOf(started),
    "durabletask.runtime_status": status,
    ...(patches.length === 0 ? {} : { applied_patches: patches }),
  };
  return {
    name: spanName("orchestration", workflow, started.version),
    kind: "server",
    traceId: caller.traceId,
    spanId,
    parentSpanId: caller.spanId,
    ...stateOf(started),
    // A rerun has the history of its source, and begins later.
    startAt: Math.max(startedAt, createdAt),
    endAt: instantOf(end, now),
    attributes,
    events: eventsOf(fold.spanEvents, taken),
    ...(error === undefined ? {} : { error }),
  };
}

function eventsOf(before: readonly SpanEvent[], taken: readonly EventRecord[]): SpanEvent[] {
  const newest = taken.flatMap(({ event }) => spanEventsOf(event));
  return [...before, ...newest].slice(-spanEventLimit);
}

function endOf(end: EventRecord | undefined): { status: string; error?: string } {
  const ended = end?.event.eventType;
  if (ended?.case !== "executionCompleted") return { status: "CONTINUED_AS_NEW" };
  const { workflowStatus, failureDetails } = ended.value;
  const status = OrchestrationStatus[workflowStatus];
  return failureDetails === undefined ? { status } : { status, error: failureDetails.errorMessage };
}

function instantOf(record: EventRecord | undefined, otherwise: number): number {
  const timestamp = record?.event.timestamp;
  return timestamp === undefined ? otherwise : fromTimestamp(timestamp);
}

function patchesOf(opening: EventRecord | undefined): readonly string[] {
  const type = opening?.event.eventType;
  return type?.case === "workflowStarted" ? (type.value.version?.patches ?? []) : [];
}

function versionOf({ version }: ExecutionStartedEvent): Record<string, string> {
  return version ? { "durabletask.task.version": version } : {};
}

function stateOf({ parentTraceContext }: ExecutionStartedEvent): { traceState?: string } {
  const traceState = parentTraceContext?.traceState;
  return traceState ? { traceState } : {};
}

/** A span's name in Durable Task's form: type, name and version where there is one. */
export function spanName(type: string, name: string, version: string | undefined): string {
  return version ? `${type}||${name}||${version}` : `${type}||${name}`;
}

/** RFC 3339 without parts of a second. */
function secondsOf(at: number): string {
  return toJson(TimestampSchema, toTimestamp(Math.floor(at / 1000) * 1000));
}
