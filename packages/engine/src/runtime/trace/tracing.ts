// SPDX-License-Identifier: Apache-2.0

import { fromTimestamp, type TraceContext } from "@pawl/protocol";
import type { Outcome } from "../../core/outcome.js";
import type { InstanceState } from "../../core/state.js";
import {
  contextOf,
  isSampled,
  parseTraceParent,
  type TraceParts,
} from "../../core/trace/trace-context.js";
import { spanIdOf, traceIdOf } from "../../core/trace/trace-id.js";
import { spanName, turnSpans } from "../../core/trace/turn-spans.js";
import { reasonOf } from "../../errors.js";
import type { ResolvedOptions } from "../../options.js";
import type { Span, TracingOptions } from "../../port/tracing.js";
import type { ActivityWork } from "../work/worker.js";

/** The span of a start, to be ended with it. */
export interface Creation {
  /** What the instance is started with. */
  readonly context: TraceContext;
  /** `error` present: the start was refused, or failed. */
  end(error?: unknown): void;
}

/**
 * Makes the spans that Dapr makes of starts, turns and activities, and hands each out once what it
 * tells of is on disk (engine semantics 8.6). There is none where tracing is off.
 */
export class Tracing {
  readonly #tracing: TracingOptions;
  readonly #options: Pick<ResolvedOptions, "clock" | "createId">;
  /** When the activities that are with workers were handed out, by token. */
  readonly #begun = new Map<string, number>();

  constructor(tracing: TracingOptions, options: Pick<ResolvedOptions, "clock" | "createId">) {
    this.#tracing = tracing;
    this.#options = options;
  }

  /** Begins the span of a start. Undefined: its trace is not recorded. */
  create(
    { workflow, instanceId }: { readonly workflow: string; readonly instanceId: string },
    caller: TraceContext | undefined,
  ): Creation | undefined {
    const { clock, createId } = this.#options;
    const above = caller && parseTraceParent(caller.traceParent);
    const trace = above ?? this.#root(createId());
    if (!isSampled(trace)) return undefined;
    const spanId = spanIdOf(createId());
    const startAt = clock.now();
    const span = {
      name: spanName("create_orchestration", workflow, undefined),
      kind: "client",
      traceId: trace.traceId,
      spanId,
      ...(above === undefined ? {} : { parentSpanId: above.spanId }),
      ...stateOf(caller),
      startAt,
      attributes: {
        "durabletask.type": "orchestration",
        "durabletask.task.name": workflow,
        "durabletask.task.instance_id": instanceId,
      },
      events: [],
    } as const;
    return {
      context: contextOf({ ...trace, spanId }, caller?.traceState),
      end: (error) => this.#emit({ ...span, endAt: clock.now(), ...failed(error) }),
    };
  }

  /** The spans that end with an outcome; they are handed out when `committed` resolves. */
  turn(state: InstanceState, outcome: Outcome, now: number): (committed: Promise<void>) => void {
    const spans = turnSpans(state, outcome, this.#options.createId, now);
    return (committed) => {
      if (spans.length === 0) return;
      const emit = (): void => {
        for (const span of spans) this.#emit(span);
      };
      // What was not written did not happen.
      committed.then(emit, () => {});
    };
  }

  /** An activity goes to a worker; returns what the worker goes on with, if its trace is recorded. */
  activityBegun(work: ActivityWork, token: string): TraceContext | undefined {
    const above = activityTrace(work);
    if (above === undefined) return undefined;
    this.#begun.set(token, this.#options.clock.now());
    return contextOf({ ...above.parts, spanId: spanIdOf(token) }, above.context.traceState);
  }

  /** A worker lacks an activity, and another one gets it: it did not run, and has no span. */
  activityPassedOn(token: string): void {
    this.#begun.delete(token);
  }

  /** An activity has a result; its span ends once that is on disk. */
  activityDone(
    work: ActivityWork,
    token: string,
    error: string | undefined,
    stored: Promise<void>,
  ): void {
    stored.then(
      () => this.activityEnded(work, token, error),
      () => this.#begun.delete(token),
    );
  }

  /** An activity has ended, or its worker has gone: `error` says so. */
  activityEnded(work: ActivityWork, token: string, error: string | undefined): void {
    const above = activityTrace(work);
    if (above === undefined) return;
    const { instanceId, taskId, name, record } = work;
    const { eventType, timestamp } = record.event;
    const version = eventType.case === "taskScheduled" ? eventType.value.version : undefined;
    const endAt = this.#options.clock.now();
    // One that was with its worker while the store was opened again began some time after this.
    const scheduledAt = timestamp === undefined ? endAt : fromTimestamp(timestamp);
    const startAt = this.#begun.get(token) ?? scheduledAt;
    this.#begun.delete(token);
    this.#emit({
      name: spanName("activity", name, version),
      kind: "server",
      traceId: above.parts.traceId,
      spanId: spanIdOf(token),
      parentSpanId: above.parts.spanId,
      ...stateOf(above.context),
      startAt,
      endAt,
      attributes: {
        "durabletask.type": "activity",
        "durabletask.task.name": name,
        "durabletask.task.task_id": taskId,
        "durabletask.task.instance_id": instanceId,
        ...(version ? { "durabletask.task.version": version } : {}),
      },
      events: [],
      ...(error === undefined ? {} : { error }),
    });
  }

  #root(id: string): TraceParts {
    const { sampleRatio = 1 } = this.#tracing;
    const traceId = traceIdOf(id);
    const share = Number.parseInt(traceId.slice(-ratioDigits), 16) / 16 ** ratioDigits;
    return { traceId, spanId: "", flags: share < sampleRatio ? "01" : "00" };
  }

  #emit(span: Span): void {
    this.#tracing.emit(span);
  }
}

/** Hex digits of a trace id that decide whether it is recorded: as many as a number holds exactly. */
const ratioDigits = 13;

interface ActivityTrace {
  readonly context: TraceContext;
  readonly parts: TraceParts;
}

/** The trace of an activity; undefined: it is in none, or it is not recorded. */
function activityTrace({ record }: ActivityWork): ActivityTrace | undefined {
  const { eventType } = record.event;
  const context =
    eventType.case === "taskScheduled" ? eventType.value.parentTraceContext : undefined;
  if (context === undefined) return undefined;
  const parts = parseTraceParent(context.traceParent);
  return parts !== undefined && isSampled(parts) ? { context, parts } : undefined;
}

function stateOf(context: TraceContext | undefined): { traceState?: string } {
  return context?.traceState ? { traceState: context.traceState } : {};
}

function failed(error: unknown): { error?: string } {
  if (error === undefined) return {};
  return { error: reasonOf(error) };
}
