// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import {
  CreateChildWorkflowActionSchema,
  CreateTimerActionSchema,
  type HistoryEvent,
  type ScheduleTaskAction,
  type TaskFailureDetails,
  TimerOriginActivityRetrySchema,
  TimerOriginChildWorkflowRetrySchema,
  toTimestamp,
} from "@pawl/protocol";
import type { ActivityOptions, ChildOptions } from "../../authoring.js";
import { ActivityFailedError, ChildFailedError } from "../../errors.js";
import { errorOf, fromFailureDetails } from "../../failure.js";
import { parsePayload, stringifyPayload } from "../../payload.js";
import type { Failure } from "../../port.js";
import type { Step } from "./divergence.js";
import {
  nextRetryMs,
  type ResolvedRetryPolicy,
  type RetryPolicy,
  resolveRetryPolicy,
} from "./retry.js";
import type { ActionType, Ask } from "./task-ledger.js";

/** What a call needs of the replay that it is part of. */
export interface CallHost {
  readonly instanceId: string;
  readonly executionId: string;
  now(): number;
  ask(ask: Ask): number;
}

const ignore = (): void => {};

/** One call with its attempts: it is the ask of each of them, one after the other. */
abstract class Call implements Ask {
  protected readonly host: CallHost;
  readonly #retry: ResolvedRetryPolicy | undefined;
  readonly #firstAttemptAt: number;
  #failedAttempts = 0;
  #id = -1;
  #promise: Promise<unknown> | undefined;
  #resolve: (value: unknown) => void = ignore;
  #reject: (error: Error) => void = ignore;

  constructor(host: CallHost, retry: RetryPolicy | undefined) {
    this.host = host;
    this.#retry = retry && resolveRetryPolicy(retry);
    this.#firstAttemptAt = host.now();
  }

  /** What the present attempt is. */
  abstract readonly step: Step;
  abstract action(): ActionType;
  /** The timer between two attempts. */
  protected abstract pause(fireAt: number): Omit<Ask, "result">;
  /** The error for the code, after the last attempt. */
  protected abstract error(failure: Failure, id: number): Error;

  /** Runs attempts until one succeeds or the policy says that it is enough (engine semantics 6.6). */
  run(): Promise<unknown> {
    const promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#promise = promise;
    this.host.ask(this);
    return promise;
  }

  /** An attempt gets its number. */
  begin(id: number): void {
    this.#id = id;
  }

  result(event: HistoryEvent): void {
    const result = resultOf(event);
    if ("failure" in result) this.#fail(result.failure);
    else this.#resolve(parsePayload(result.output));
  }

  #fail(failure: Failure): void {
    this.#failedAttempts += 1;
    const now = this.host.now();
    const failedAttempts = this.#failedAttempts;
    const progress = { failedAttempts, firstAttemptAt: this.#firstAttemptAt, now };
    const waitMs = this.#retry && nextRetryMs(this.#retry, progress, failure);
    if (waitMs !== undefined) {
      this.host.ask({ ...this.pause(now + waitMs), result: () => this.host.ask(this) });
      return;
    }
    // The code may await it later, or never: until then its failure is not an unhandled one.
    this.#promise?.catch(ignore);
    this.#reject(this.error(failure, this.#id));
  }
}

/** Calls an activity. */
export function callActivity(
  host: CallHost,
  name: string,
  input: unknown,
  options?: ActivityOptions,
): Promise<unknown> {
  return new ActivityCall(host, name, stringifyPayload(input), options?.retry).run();
}

class ActivityCall extends Call {
  readonly step: Step;
  readonly #name: string;
  readonly #input: string | undefined;
  /** All attempts share one: the one that history has. */
  #taskExecutionId = "";

  constructor(
    host: CallHost,
    name: string,
    input: string | undefined,
    retry: RetryPolicy | undefined,
  ) {
    super(host, retry);
    this.#name = name;
    this.#input = input;
    this.step = { kind: "activity", name };
  }

  override begin(id: number): void {
    super.begin(id);
    this.#taskExecutionId ||= `${this.host.executionId}:${id}`;
  }

  action(): ActionType {
    // A plain object of the message's shape: each step of a workflow makes one.
    const value: ScheduleTaskAction = {
      $typeName: "ScheduleTaskAction",
      name: this.#name,
      taskExecutionId: this.#taskExecutionId,
    };
    if (this.#input !== undefined) value.input = this.#input;
    return { case: "scheduleTask", value };
  }

  recorded(event: HistoryEvent): void {
    if (event.eventType.case !== "taskScheduled") return;
    this.#taskExecutionId = event.eventType.value.taskExecutionId || this.#taskExecutionId;
  }

  accepts(event: HistoryEvent): boolean {
    return hasTaskExecutionId(event, this.#taskExecutionId);
  }

  protected pause(fireAt: number): Omit<Ask, "result"> {
    const name = this.#name;
    const taskExecutionId = this.#taskExecutionId;
    return {
      step: { kind: "timer", origin: "activityRetry", name },
      action: () => {
        const value = create(TimerOriginActivityRetrySchema, { taskExecutionId });
        return retryTimer(name, fireAt, { case: "activityRetry", value });
      },
    };
  }

  protected error(failure: Failure, id: number): Error {
    return new ActivityFailedError(this.#name, id, failure, errorOf(failure));
  }
}

/** Starts a child workflow and waits for it. */
export function callChild(
  host: CallHost,
  name: string,
  input: unknown,
  options?: ChildOptions,
): Promise<unknown> {
  return new ChildCall(host, name, stringifyPayload(input), options).run();
}

class ChildCall extends Call {
  readonly #name: string;
  readonly #input: string | undefined;
  readonly #givenId: string | undefined;
  #firstId = "";
  /** The child of the present attempt. */
  #childId = "";
  #isRetry = false;

  constructor(
    host: CallHost,
    name: string,
    input: string | undefined,
    options: ChildOptions | undefined,
  ) {
    super(host, options?.retry);
    this.#name = name;
    this.#input = input;
    this.#givenId = options?.instanceId;
  }

  get step(): Step {
    return { kind: "child", name: this.#name, instanceId: this.#childId };
  }

  override begin(id: number): void {
    super.begin(id);
    this.#childId = this.#givenId ?? defaultChildId(this.host.instanceId, id);
    this.#isRetry = this.#firstId !== "";
    if (!this.#isRetry) this.#firstId = this.#childId;
  }

  action(): ActionType {
    return {
      case: "createChildWorkflow",
      value: create(CreateChildWorkflowActionSchema, {
        name: this.#name,
        instanceId: this.#childId,
        ...optionalInput(this.#input),
        ...(this.#isRetry ? { retryParentInstanceInfo: { instanceID: this.#firstId } } : {}),
      }),
    };
  }

  protected pause(fireAt: number): Omit<Ask, "result"> {
    const name = this.#name;
    const instanceId = this.#firstId;
    return {
      step: { kind: "timer", origin: "childRetry", name },
      action: () => {
        const value = create(TimerOriginChildWorkflowRetrySchema, { instanceId });
        return retryTimer(name, fireAt, { case: "childWorkflowRetry", value });
      },
    };
  }

  protected error(failure: Failure): Error {
    return new ChildFailedError(this.#name, this.#childId, failure, errorOf(failure));
  }
}

/** The id that the engine too gives a child without one (engine semantics 4.3). */
function defaultChildId(parentId: string, taskId: number): string {
  return `${parentId}:${taskId.toString(16).padStart(4, "0")}`;
}

function optionalInput(text: string | undefined): { input?: string } {
  return text === undefined ? {} : { input: text };
}

function retryTimer(
  name: string,
  fireAt: number,
  origin: Extract<ActionType, { case: "createTimer" }>["value"]["origin"],
): ActionType {
  const value = create(CreateTimerActionSchema, { fireAt: toTimestamp(fireAt), name, origin });
  return { case: "createTimer", value };
}

/** A result that belongs to an earlier execution's task of the same number is not ours. */
function hasTaskExecutionId(event: HistoryEvent, expected: string): boolean {
  const { eventType } = event;
  if (eventType.case !== "taskCompleted" && eventType.case !== "taskFailed") return false;
  return eventType.value.taskExecutionId === "" || eventType.value.taskExecutionId === expected;
}

function resultOf(event: HistoryEvent): { output: string | undefined } | { failure: Failure } {
  const { eventType } = event;
  switch (eventType.case) {
    case "taskCompleted":
    case "childWorkflowInstanceCompleted":
      return { output: eventType.value.result };
    case "taskFailed":
    case "childWorkflowInstanceFailed":
      return { failure: failureIn(eventType.value.failureDetails) };
    default:
      return { output: undefined };
  }
}

/** A child that was terminated reports a failure without details (engine semantics 2.5). */
function failureIn(details: TaskFailureDetails | undefined): Failure {
  if (details !== undefined) return fromFailureDetails(details);
  return { type: "Terminated", message: "it was terminated", nonRetriable: true };
}
