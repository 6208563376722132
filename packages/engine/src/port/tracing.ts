// SPDX-License-Identifier: Apache-2.0

/** A value of a span's attribute. Never a payload. */
export type SpanAttribute = string | number | readonly string[];

/** Something that happened during a span. */
export interface SpanEvent {
  readonly name: string;
  /** Instant in milliseconds. */
  readonly at: number;
  readonly attributes: Readonly<Record<string, SpanAttribute>>;
}

/** A span that has ended, as OpenTelemetry knows it. Ids are lower-case hex. */
export interface Span {
  readonly name: string;
  readonly kind: "client" | "server" | "internal";
  /** 32 digits. */
  readonly traceId: string;
  /** 16 digits. */
  readonly spanId: string;
  /** Absent: the root of its trace. */
  readonly parentSpanId?: string;
  /** W3C tracestate of the trace. */
  readonly traceState?: string;
  /** Instants in milliseconds. */
  readonly startAt: number;
  readonly endAt: number;
  readonly attributes: Readonly<Record<string, SpanAttribute>>;
  readonly events: readonly SpanEvent[];
  /** Present: it failed, and why. */
  readonly error?: string;
}

/** Where spans go, and which traces are taken up. */
export interface TracingOptions {
  /**
   * Takes a span that has ended, once what it tells of is on disk. Must not throw and must not block.
   * A crash between the commit and this call loses the span, and nothing else.
   */
  readonly emit: (span: Span) => void;
  /**
   * Share of the traces that begin here which are recorded, from 0 to 1. What a caller's traceparent
   * says goes before it. @default 1
   */
  readonly sampleRatio?: number;
}
