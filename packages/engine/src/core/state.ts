// SPDX-License-Identifier: Apache-2.0

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { EventRecord, ExecutionStartedEvent, TraceContext } from "@pawl/protocol";
import type { StallCode } from "@pawl/protocol/port";
import type { SpanEvent } from "../port/tracing.js";
import { noEntries, noItems } from "./fold/sparse.js";
import { workflowTrace } from "./trace/trace-context.js";

/** Where the result of a child workflow goes. */
export interface ParentLink {
  readonly instanceId: string;
  /** The parent's execution that asked for the child. */
  readonly executionId: string;
  /** The task in that execution. */
  readonly taskId: number;
}

/** An activity that was scheduled and has no result in history. */
export interface OpenTask {
  readonly taskId: number;
  /** Its taskScheduled event. */
  readonly record: EventRecord;
}

/** A timer that was created and has not fired. */
export interface OpenTimer {
  readonly timerId: number;
  /** Instant of its creation. */
  readonly createdAt: number;
  /** Instant in milliseconds, rounded up. */
  readonly fireAt: number;
  /** The same instant as the worker gave it, to the nanosecond. */
  readonly exactFireAt: Timestamp | undefined;
  /** Folded name of the external event whose wait it bounds. */
  readonly eventName?: string;
}

/** A child workflow that was asked for. */
export interface Child {
  readonly instanceId: string;
  readonly open: boolean;
}

/** Statuses of an instance that has ended. */
export type EndStatus = "completed" | "failed" | "terminated";

/** Why an instance cannot go on for now. */
export interface Stall {
  readonly reason: StallCode;
  readonly description: string;
}

/** How one execution of an instance begins. */
export interface Beginning {
  readonly instanceId: string;
  readonly generation: number;
  readonly workflow: string;
  readonly executionId: string;
  /** Instant at which it was accepted. */
  readonly createdAt: number;
  /** Earliest instant of the first turn; 0: at once. */
  readonly startAt: number;
  readonly parent: ParentLink | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Begun by continue-as-new: it counts as running before its first turn. */
  readonly continued: boolean;
  /** What it may see of the histories above it: the message PropagatedHistory, encoded. */
  readonly propagated?: Uint8Array | undefined;
}

/**
 * What history says: the fold of the events of the present execution. Two folds of the same history
 * are equal (invariant 6 of the design).
 */
export interface HistoryFold {
  readonly eventCount: number;
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly completedAt: number;
  readonly end: EndStatus | undefined;
  readonly suspended: boolean;
  readonly stall: Stall | undefined;
  /** Name of the version on the first workflowStarted. */
  readonly version: string;
  /** Patches that history's turns were run with, in order, repeats included. */
  readonly patches: readonly string[];
  readonly tasks: ReadonlyMap<number, OpenTask>;
  readonly timers: ReadonlyMap<number, OpenTimer>;
  readonly children: ReadonlyMap<number, Child>;
  /** Ids of all actions that history records, to know a repeated one. */
  readonly actionIds: ReadonlySet<number>;
  /** Numbers of tasks and children that failed and were not asked for again since. */
  readonly failed: ReadonlySet<number>;
  /** What its span tells of; empty when it has none. At most `spanEventLimit`, the newest. */
  readonly spanEvents: readonly SpanEvent[];
  /** The executionStarted and executionCompleted events. */
  readonly startRecord: EventRecord | undefined;
  readonly endRecord: EventRecord | undefined;
}

/**
 * One instance, as the core sees it. Commands read it; only `applyEvent` and `applyOutcome` write,
 * on behalf of the mailbox that owns it.
 */
export interface InstanceState extends Beginning {
  readonly customStatus: string | undefined;
  readonly fold: HistoryFold;
  /** Accepted events that no turn has taken, oldest first. */
  readonly inbox: readonly EventRecord[];
  /** Resolution keys (`resolutionKey`) of inbox events, so that a second result is known. */
  readonly arrived: ReadonlySet<number>;
  /** Open tasks of an ended instance whose activities have run. Not on disk: they may run again. */
  readonly settled: ReadonlySet<number>;
}

/**
 * The writable form of a type whose fields are `readonly`, lists included. Maps and sets are written to
 * by the functions of `sparse.ts`: several instances may share one that is empty.
 */
type Writable<T> = {
  -readonly [K in keyof T]: T[K] extends readonly (infer A)[] ? A[] : T[K];
};

/** A fold that its owner may write. */
export type OwnedFold = Writable<HistoryFold>;

/** A state that its owner may write. */
export type OwnedState = Omit<Writable<InstanceState>, "fold"> & { fold: OwnedFold };

/** By constructor: V8 would soon put literals that live this long, and all they have, into the old generation. */
class Fold implements OwnedFold {
  eventCount = 0;
  startedAt = 0;
  updatedAt = 0;
  completedAt = 0;
  end: EndStatus | undefined = undefined;
  suspended = false;
  stall: Stall | undefined = undefined;
  version = "";
  patches: string[] = [];
  tasks = noEntries<number, OpenTask>();
  timers = noEntries<number, OpenTimer>();
  children = noEntries<number, Child>();
  actionIds = noItems<number>();
  failed = noItems<number>();
  spanEvents: SpanEvent[] = [];
  startRecord: EventRecord | undefined = undefined;
  endRecord: EventRecord | undefined = undefined;
}

/** The fold of an empty history. */
export function emptyFold(): OwnedFold {
  return new Fold();
}

/** The state of an execution that has just been accepted, without its inbox. */
export function beginState(beginning: Beginning): OwnedState {
  return {
    ...beginning,
    customStatus: undefined,
    fold: emptyFold(),
    inbox: [],
    arrived: noItems(),
    settled: noItems(),
  };
}

/** The event that the present execution was started with: from history, or before its first turn the inbox. */
export function startRecordOf({ fold, inbox }: InstanceState): EventRecord | undefined {
  return fold.startRecord ?? inbox.find(({ event }) => event.eventType.case === "executionStarted");
}

/** What the present execution was started with. */
export function executionStart(state: InstanceState): ExecutionStartedEvent | undefined {
  const { eventType } = startRecordOf(state)?.event ?? {};
  return eventType?.case === "executionStarted" ? eventType.value : undefined;
}

/** What the execution's activities and children go on with; undefined: it is in no trace. */
export function traceOf(state: InstanceState): TraceContext | undefined {
  const started = executionStart(state);
  return started && workflowTrace(started);
}

/** True when the execution has a span of its own; what it starts then has one, too. */
export function hasSpan(state: InstanceState): boolean {
  return executionStart(state)?.workflowSpanID !== undefined;
}
