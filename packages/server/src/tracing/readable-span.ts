// SPDX-License-Identifier: Apache-2.0

import {
  type Attributes,
  createTraceState,
  type HrTime,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
} from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Span, SpanAttribute } from "@pawl/engine";

const kinds: Readonly<Record<Span["kind"], SpanKind>> = {
  client: SpanKind.CLIENT,
  server: SpanKind.SERVER,
  internal: SpanKind.INTERNAL,
};

/** Under this name Durable Task's own spans are known. */
const scope = { name: "durabletask" };

/**
 * A span of the engine's as OpenTelemetry's exporters take it. Its tracer cannot make them: their ids
 * are those that history has, and they begin and end in different processes.
 */
export function toReadableSpan(span: Span, resource: Resource): ReadableSpan {
  const { traceId, spanId, parentSpanId, startAt, endAt, error } = span;
  const traceState =
    span.traceState === undefined ? {} : { traceState: createTraceState(span.traceState) };
  const context: SpanContext = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, ...traceState };
  return {
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => context,
    ...(parentSpanId === undefined
      ? {}
      : { parentSpanContext: { ...context, spanId: parentSpanId, isRemote: true } }),
    startTime: toHrTime(startAt),
    endTime: toHrTime(endAt),
    duration: toHrTime(Math.max(endAt - startAt, 0)),
    ended: true,
    status:
      error === undefined
        ? { code: SpanStatusCode.UNSET }
        : { code: SpanStatusCode.ERROR, message: error },
    attributes: toAttributes(span.attributes),
    events: span.events.map(({ name, at, attributes }) => {
      return { name, time: toHrTime(at), attributes: toAttributes(attributes) };
    }),
    links: [],
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function toAttributes(attributes: Readonly<Record<string, SpanAttribute>>): Attributes {
  const entries = Object.entries(attributes).map(([key, value]) => {
    return [key, typeof value === "object" ? [...value] : value] as const;
  });
  return Object.fromEntries(entries);
}

/** Seconds and nanoseconds. */
function toHrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
