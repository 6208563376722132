// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import {
  CreateChildWorkflowActionSchema,
  CreateTimerActionSchema,
  type HistoryEvent,
  ScheduleTaskActionSchema,
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
import { nextRetryMs, type ResolvedRetryPolicy, resolveRetryPolicy } from "./retry.js";
import type { ActionType, Ask } from "./task-ledger.js";

/** What a call needs of the replay that it is part of. */
export interface CallHost {
  readonly instanceId: string;
  now(): number;
  ask(make: (id: number) => Ask): number;
  /** Makes ids that need not be the same on replay. */
  createId(): string;
}

/** One call with its attempts: how it is asked for, what its results mean. */
interface Attempts {
  readonly host: CallHost;
  readonly retry: ResolvedRetryPolicy | undefined;
  /** The action that asks for an attempt. */
  readonly attempt: (id: number) => Omit<Ask, "result">;
  /** The timer between two attempts. */
  readonly pause: (fireAt: number) => Omit<Ask, "result">;
  /** The error for the code, after the last attempt. */
  readonly error: (failure: Failure, id: number) => Error;
}

/** Runs attempts until one succeeds or the policy says that it is enough (engine semantics 6.6). */
function runAttempts(call: Attempts): Promise<unknown> {
  const firstAttemptAt = call.host.now();
  let failedAttempts = 0;
  return new Promise((resolve, reject) => {
    const fail = (failure: Failure, id: number): void => {
      failedAttempts += 1;
      const now = call.host.now();
      const progress = { failedAttempts, firstAttemptAt, now };
      const waitMs = call.retry && nextRetryMs(call.retry, progress, failure);
      if (waitMs === undefined) reject(call.error(failure, id));
      else call.host.ask(() => ({ ...call.pause(now + waitMs), result: begin }));
    };
    const begin = (): void => {
      call.host.ask((id) => ({
        ...call.attempt(id),
        result: (event) => {
          const result = resultOf(event);
          if ("failure" in result) fail(result.failure, id);
          else resolve(parsePayload(result.output));
        },
      }));
    };
    begin();
  });
}

/** Calls an activity. All its attempts share one taskExecutionId: the one that history has. */
export function callActivity(
  host: CallHost,
  name: string,
  input: unknown,
  options: ActivityOptions = {},
): Promise<unknown> {
  const text = stringifyPayload(input);
  let taskExecutionId = host.createId();
  const action = (): ActionType => ({
    case: "scheduleTask",
    value: create(ScheduleTaskActionSchema, { name, taskExecutionId, ...optionalInput(text) }),
  });
  return runAttempts({
    host,
    retry: options.retry && resolveRetryPolicy(options.retry),
    attempt: () => ({
      step: { kind: "activity", name },
      action,
      recorded: (event) => {
        if (event.eventType.case !== "taskScheduled") return;
        taskExecutionId = event.eventType.value.taskExecutionId || taskExecutionId;
      },
      accepts: (event) => hasTaskExecutionId(event, taskExecutionId),
    }),
    pause: (fireAt) => ({
      step: { kind: "timer", origin: "activityRetry", name },
      action: () => {
        const value = create(TimerOriginActivityRetrySchema, { taskExecutionId });
        return retryTimer(name, fireAt, { case: "activityRetry", value });
      },
    }),
    error: (failure, id) => new ActivityFailedError(name, id, failure, errorOf(failure)),
  });
}

/** Starts a child workflow and waits for it. */
export function callChild(
  host: CallHost,
  name: string,
  input: unknown,
  options: ChildOptions = {},
): Promise<unknown> {
  const text = stringifyPayload(input);
  let firstInstanceId = "";
  let instanceId = "";
  return runAttempts({
    host,
    retry: options.retry && resolveRetryPolicy(options.retry),
    attempt: (id) => {
      instanceId = options.instanceId ?? defaultChildId(host.instanceId, id);
      const isRetry = firstInstanceId !== "";
      if (!isRetry) firstInstanceId = instanceId;
      const attemptId = instanceId;
      return {
        step: { kind: "child", name, instanceId },
        action: () => ({
          case: "createChildWorkflow",
          value: create(CreateChildWorkflowActionSchema, {
            name,
            instanceId: attemptId,
            ...optionalInput(text),
            ...(isRetry ? { retryParentInstanceInfo: { instanceID: firstInstanceId } } : {}),
          }),
        }),
      };
    },
    pause: (fireAt) => ({
      step: { kind: "timer", origin: "childRetry", name },
      action: () => {
        const value = create(TimerOriginChildWorkflowRetrySchema, { instanceId: firstInstanceId });
        return retryTimer(name, fireAt, { case: "childWorkflowRetry", value });
      },
    }),
    error: (failure) => new ChildFailedError(name, instanceId, failure, errorOf(failure)),
  });
}

/** The id that the engine too gives a child without one (engine semantics 4.3). */
function defaultChildId(parentId: string, taskId: number): string {
  return `${parentId}:${(taskId & 0xffff).toString(16).padStart(4, "0")}`;
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
