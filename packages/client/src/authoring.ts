// SPDX-License-Identifier: Apache-2.0

import type { RetryPolicy } from "./worker/replay/retry.js";

/** Which version of a workflow its code is. */
export interface VersionOptions {
  /** Its name: an execution that began with it goes on with it. @default none */
  readonly version?: string;
  /**
   * New executions get it. Of several versions that one worker has, one must be it. `false`: the
   * worker has it for executions that began with it.
   * @default true, when it is the only version
   */
  readonly latest?: boolean;
}

/** A workflow: its registered name and its code. Made by `workflow`. */
export interface WorkflowDefinition<I, O, N extends string = string> extends VersionOptions {
  readonly kind: "workflow";
  /** The registered name, 1 to 256 bytes. */
  readonly name: N;
  /** The code. It is replayed: it awaits nothing but the promises of its context. */
  readonly run: (context: WorkflowContext, input: I) => Promise<O> | O;
}

/** An activity: its registered name and its code. Made by `activity`. */
export interface ActivityDefinition<I, O, N extends string = string> {
  readonly kind: "activity";
  /** The registered name, 1 to 256 bytes. */
  readonly name: N;
  /** The code. It may do anything, and runs at least once per call. */
  readonly run: (input: I, context: ActivityContext) => Promise<O> | O;
}

/** A named external event with the type of its payload. Made by `event`. */
export interface EventDefinition<T> {
  readonly kind: "event";
  /** The name, 1 to 256 bytes, matched without regard to case. */
  readonly name: string;
  /** Never set; carries the type. */
  readonly payload?: T;
}

/** Any workflow, whatever its input. */
export type AnyWorkflow = WorkflowDefinition<never, unknown>;

/** Any activity, whatever its input. */
export type AnyActivity = ActivityDefinition<never, unknown>;

/** The input of a workflow or an activity. */
export type InputOf<D> =
  D extends WorkflowDefinition<infer I, unknown>
    ? I
    : D extends ActivityDefinition<infer I, unknown>
      ? I
      : never;

/** The output of a workflow or an activity. */
export type OutputOf<D> =
  D extends WorkflowDefinition<never, infer O>
    ? O
    : D extends ActivityDefinition<never, infer O>
      ? O
      : never;

/** Input, then options; the input may be left out where the definition takes none. */
export type CallArguments<I, Options> = undefined extends I
  ? [input?: I, options?: Options]
  : [input: I, options?: Options];

/** Takes log lines: facts for programs, a message for people (pino's order). */
export interface Logger {
  info(facts: Readonly<Record<string, unknown>>, message: string): void;
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** How an activity is called. */
export interface ActivityOptions {
  /** What to do when it fails. @default one attempt */
  readonly retry?: RetryPolicy;
}

/** How a child workflow is started. */
export interface ChildOptions {
  /** Id of the child. @default the parent's id, a colon and the task's number in hexadecimal */
  readonly instanceId?: string;
  /** What to do when it fails. @default one attempt */
  readonly retry?: RetryPolicy;
}

/** How an event is awaited. */
export interface WaitForEventOptions {
  /** Milliseconds to wait, not negative; 0 takes only an event that is there. @default for ever */
  readonly timeoutMs?: number;
}

/**
 * What a workflow's code works with. Its promises are durable: they settle in the order of the
 * history, on every replay. `Promise.all`, `Promise.race` and the like work on them.
 *
 * Every method throws `DIVERGENCE` when it is called outside a turn, which happens after the code
 * awaited something other than the promises of this context.
 */
export interface WorkflowContext {
  readonly instanceId: string;
  /** The id of this execution; a new one after each continue-as-new. */
  readonly executionId: string;
  /** The registered name of the workflow. */
  readonly workflow: string;
  /** The version of the code that runs; absent where it has none. */
  readonly version?: string;
  /** True while the code passes through what already happened. */
  readonly isReplaying: boolean;
  /** Writes log lines, but not again on replay. */
  readonly log: Logger;

  /** The instant of the present turn, in milliseconds since 1970; the same on every replay. */
  now(): number;
  /** A number from 0 (included) to 1, the same on every replay. Not for secrets. */
  random(): number;
  /** A UUID of version 4, the same on every replay. Not for secrets. */
  uuid(): string;

  /**
   * Runs an activity. Rejects with `ActivityFailedError` after its last attempt.
   * @throws PAYLOAD_TOO_LARGE, INVALID_ARGUMENT
   */
  activity<I, O>(
    definition: ActivityDefinition<I, O>,
    ...call: CallArguments<I, ActivityOptions>
  ): Promise<O>;
  /** Runs an activity that is known by name only. */
  activity(name: string, input?: unknown, options?: ActivityOptions): Promise<unknown>;

  /**
   * Runs a child workflow. Rejects with `ChildFailedError` after its last attempt.
   * @throws PAYLOAD_TOO_LARGE, INVALID_ARGUMENT
   */
  child<I, O>(
    definition: WorkflowDefinition<I, O>,
    ...call: CallArguments<I, ChildOptions>
  ): Promise<O>;
  /** Runs a child workflow that is known by name only. */
  child(name: string, input?: unknown, options?: ChildOptions): Promise<unknown>;

  /** Resolves after `waitMs` milliseconds, counted from `now()`. The name is for people. */
  sleep(waitMs: number, name?: string): Promise<void>;
  /** Resolves at an instant (milliseconds since 1970), or at once when it has passed. */
  sleepUntil(at: number, name?: string): Promise<void>;

  /**
   * Resolves with the payload of the next event of this name that no other wait has taken, the
   * oldest first, also one that came before. Rejects with `EventTimeoutError`.
   */
  waitForEvent<T>(event: EventDefinition<T>, options?: WaitForEventOptions): Promise<T>;
  /** Waits for an event that is known by name only. */
  waitForEvent(event: string, options?: WaitForEventOptions): Promise<unknown>;

  /** Raises an event on another instance. Delivered once; lost when there is no such instance. */
  sendEvent<T>(
    instanceId: string,
    event: EventDefinition<T>,
    ...payload: undefined extends T ? [payload?: T] : [payload: T]
  ): void;
  /** Raises an event that is known by name only. */
  sendEvent(instanceId: string, event: string, payload?: unknown): void;

  /**
   * Tells whether this execution runs with a change of the code, which is named once and for all:
   * `if (context.isPatched("charge-twice")) …`. True for what begins now, or comes to this place for
   * the first time; false where history shows that it passed here before the change. The answer is
   * kept in history. A worker whose code lacks a patch that history has leaves the instance to
   * others; it stalls when there is none.
   */
  isPatched(patch: string): boolean;

  /**
   * Publishes a JSON value with the instance; `undefined` clears it. Other APIs show a string as it
   * is, and anything else as JSON text.
   */
  setCustomStatus(status: unknown): void;

  /**
   * Ends this execution and starts the next one, with a new history, under the same instance id.
   * Return or await the promise: it never settles. Activities and children that were asked for in
   * this turn do not run. Events that nobody took go over to the next execution, unless
   * `keepEvents` is false.
   */
  continueAsNew(input?: unknown, options?: { readonly keepEvents?: boolean }): Promise<never>;
}

/** What an activity's code works with. */
export interface ActivityContext {
  readonly instanceId: string;
  readonly executionId: string;
  /** The task's number in its execution. */
  readonly taskId: number;
  /** Stays the same over the retries of one call, for use as an idempotency key. */
  readonly taskExecutionId: string;
  /**
   * W3C traceparent of this run of the activity, for spans of its own; absent when the workflow was
   * started without one and the server makes no spans.
   */
  readonly traceParent?: string;
  /** W3C tracestate that goes with it. */
  readonly traceState?: string;
  /** The registered name of the activity. */
  readonly activity: string;
  /** Aborted when the worker stops or loses its server: the activity then runs again elsewhere. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}
