// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { type ExecutionStartedEvent, type TraceContext, TraceContextSchema } from "@pawl/protocol";
import { optional } from "../event.js";
import { spanIdOf, traceIdOf } from "./trace-id.js";

/** A W3C traceparent: version, trace id, parent id, flags. */
const traceParentForm =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Characters of a tracestate that W3C wants everybody to pass on. */
const traceStateLimit = 512;

/** The parts of a traceparent. */
export interface TraceParts {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** 2 hex digits. */
  readonly flags: string;
}

/** Takes a W3C traceparent apart; undefined when it is none. */
export function parseTraceParent(traceParent: string): TraceParts | undefined {
  const [, traceId, spanId, flags] = traceParentForm.exec(traceParent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, flags };
}

/** The trace context of a caller; what is not a traceparent is left out, as some clients send less. */
export function traceContextOf(
  traceParent: string | undefined,
  traceState?: string,
): TraceContext | undefined {
  const parts = traceParent === undefined ? undefined : parseTraceParent(traceParent);
  // It helps to look a trace up, and is no reason to refuse anything.
  const kept = traceState !== undefined && traceState.length <= traceStateLimit;
  return parts && contextOf(parts, kept && traceState !== "" ? traceState : undefined);
}

/** The parts as they are stored and sent. */
export function contextOf(parts: TraceParts, traceState: string | undefined): TraceContext {
  const { traceId, spanId, flags } = parts;
  return create(TraceContextSchema, {
    traceParent: `00-${traceId}-${spanId}-${flags}`,
    spanID: spanId,
    ...optional("traceState", traceState),
  });
}

/** True when the spans of a trace are recorded. */
export function isSampled({ flags }: TraceParts): boolean {
  return (Number.parseInt(flags, 16) & 1) === 1;
}

/** The root of a new trace, from an id that nobody else has. `flags` as in a traceparent. */
export function rootTrace(id: string, flags = "01"): TraceContext {
  return contextOf({ traceId: traceIdOf(id), spanId: spanIdOf(id), flags }, undefined);
}

/**
 * What an execution's activities, children and detached workflows go on with: its own span where it
 * has one, else what it was started with (engine semantics 8.6).
 */
export function workflowTrace(started: ExecutionStartedEvent): TraceContext | undefined {
  const { parentTraceContext: caller, workflowSpanID: spanId } = started;
  const parts = caller && parseTraceParent(caller.traceParent);
  if (parts === undefined || spanId === undefined) return caller;
  return contextOf({ ...parts, spanId }, caller?.traceState);
}

/**
 * The fields of an executionStarted event that put it into a trace. Its span has an id from the
 * beginning, so that it is the same one after every restart; derived from the execution's, so that
 * there is nothing more to mint.
 */
export function traceFields(
  trace: TraceContext | undefined,
  executionId: string,
  hasSpan: boolean,
): { parentTraceContext?: TraceContext; workflowSpanID?: string } {
  if (trace === undefined) return {};
  return {
    parentTraceContext: trace,
    ...(hasSpan ? { workflowSpanID: spanIdOf(executionId) } : {}),
  };
}
