// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from "@pawl/protocol";
import type { Failure } from "./port.js";

const brand = Symbol.for("pawl.PawlError");
const nonRetriableBrand = Symbol.for("pawl.NonRetriableError");

/** The server's codes, and those that only the client has. */
export type PawlErrorCode =
  | ErrorCode
  /** No server answers at the address. */
  | "UNREACHABLE"
  /** The instance whose result was awaited failed. */
  | "WORKFLOW_FAILED"
  /** The instance whose result was awaited was terminated. */
  | "WORKFLOW_TERMINATED"
  /** An activity failed, after all its attempts. */
  | "ACTIVITY_FAILED"
  /** A child workflow failed, after all its attempts. */
  | "CHILD_FAILED"
  /** An awaited event did not come in time. */
  | "EVENT_TIMEOUT"
  /** Replay asked for something other than history has. */
  | "DIVERGENCE";

/** Facts and cause of a `PawlError`. */
export interface PawlErrorOptions {
  readonly details?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * What this package throws. Switch on `code`; the message is for people and may change. `details`
 * has facts for programs (ids, limits).
 */
export class PawlError extends Error {
  override readonly name: string = "PawlError";
  /** Stable code; see docs/errors.md. */
  readonly code: PawlErrorCode;
  /** Facts for programs, for instance `{ instanceId }`. */
  readonly details: Readonly<Record<string, string>>;

  constructor(code: PawlErrorCode, message: string, options: PawlErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
    Object.defineProperty(this, brand, { value: true });
  }
}

/** True for a `PawlError`, also one made by another copy of this package. */
export function isPawlError(error: unknown): error is PawlError {
  return typeof error === "object" && error !== null && brand in error;
}

/** The awaited instance failed; `failure` says why. */
export class WorkflowFailedError extends PawlError {
  override readonly name = "WorkflowFailedError";
  readonly instanceId: string;
  readonly failure: Failure;

  constructor(instanceId: string, failure: Failure) {
    super("WORKFLOW_FAILED", `instance "${instanceId}" failed: ${failure.message}`, {
      details: { instanceId },
      cause: failure.cause,
    });
    this.instanceId = instanceId;
    this.failure = failure;
  }
}

/** The awaited instance was terminated; `output` is the value that the command gave. */
export class WorkflowTerminatedError extends PawlError {
  override readonly name = "WorkflowTerminatedError";
  readonly instanceId: string;
  readonly output: unknown;

  constructor(instanceId: string, output: unknown) {
    super("WORKFLOW_TERMINATED", `instance "${instanceId}" was terminated`, {
      details: { instanceId },
    });
    this.instanceId = instanceId;
    this.output = output;
  }
}

/** What a workflow's code gets when an activity failed for good; `failure.type` names the error. */
export class ActivityFailedError extends PawlError {
  override readonly name = "ActivityFailedError";
  readonly activity: string;
  readonly taskId: number;
  readonly failure: Failure;

  constructor(activity: string, taskId: number, failure: Failure, cause: Error) {
    super("ACTIVITY_FAILED", `activity "${activity}" failed: ${failure.message}`, { cause });
    this.activity = activity;
    this.taskId = taskId;
    this.failure = failure;
  }
}

/** What a workflow's code gets when a child workflow failed or was terminated. */
export class ChildFailedError extends PawlError {
  override readonly name = "ChildFailedError";
  readonly workflow: string;
  readonly instanceId: string;
  readonly failure: Failure;

  constructor(workflow: string, instanceId: string, failure: Failure, cause: Error) {
    super("CHILD_FAILED", `child workflow "${workflow}" failed: ${failure.message}`, {
      details: { instanceId },
      cause,
    });
    this.workflow = workflow;
    this.instanceId = instanceId;
    this.failure = failure;
  }
}

/** What a workflow's code gets when an event did not come within `timeoutMs`. */
export class EventTimeoutError extends PawlError {
  override readonly name = "EventTimeoutError";
  readonly event: string;

  constructor(event: string, timeoutMs: number) {
    super("EVENT_TIMEOUT", `event "${event}" did not come within ${timeoutMs} ms`);
    this.event = event;
  }
}

/** The workflow's code did something that replay cannot repeat; the instance fails with it. */
export class DivergenceError extends PawlError {
  override readonly name = "Divergence";

  constructor(message: string) {
    super("DIVERGENCE", message);
  }
}

/** Thrown by an activity or a workflow to say that another attempt cannot help. */
export class NonRetriableError extends Error {
  override readonly name: string = "NonRetriableError";

  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    Object.defineProperty(this, nonRetriableBrand, { value: true });
  }
}

/** True for a `NonRetriableError`, a failure that was one where it was raised, and a divergence. */
export function isNonRetriable(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  if (nonRetriableBrand in error) return true;
  if (!isPawlError(error)) return false;
  return error.code === "DIVERGENCE" || (hasFailure(error) && error.failure.nonRetriable);
}

function hasFailure(error: PawlError): error is PawlError & { readonly failure: Failure } {
  return error.code === "ACTIVITY_FAILED" || error.code === "CHILD_FAILED";
}
