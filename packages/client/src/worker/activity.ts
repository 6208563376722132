// SPDX-License-Identifier: Apache-2.0

import type { ActivityContext, AnyActivity, Logger } from "../authoring.js";
import { failureOf } from "../failure.js";
import { parsePayload, stringifyPayload } from "../payload.js";
import type { ActivityOutcome, ActivityTask } from "./link/work.js";

/**
 * Runs an activity once. Never throws: what the code throws is the outcome, and a promise of it does not
 * reject. Gives a promise only where the code does: most activities of a fan-out need none.
 */
export function runActivity(
  definition: AnyActivity | undefined,
  task: ActivityTask,
  signal: AbortSignal,
  log: Logger,
): ActivityOutcome | Promise<ActivityOutcome> {
  if (definition === undefined) {
    const message = `this worker has no activity "${task.name}"`;
    return { failure: { type: "ActivityNotRegistered", message, nonRetriable: true } };
  }
  try {
    // Definitions are kept without their input's type; the caller's types vouch for the input.
    const input = parsePayload(task.input) as never;
    const output = definition.run(input, contextOf(task, signal, log));
    return isThenable(output) ? outcomeOf(output) : { output: stringifyPayload(output) };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

async function outcomeOf(output: PromiseLike<unknown>): Promise<ActivityOutcome> {
  try {
    return { output: stringifyPayload(await output) };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

/** What `await` takes for a promise. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  const isObject = typeof value === "object" || typeof value === "function";
  return isObject && value !== null && "then" in value && typeof value.then === "function";
}

/** Field by field: taking some out of a task costs more than all else that is done here. */
function contextOf(task: ActivityTask, signal: AbortSignal, log: Logger): ActivityContext {
  const { instanceId, executionId, taskId, name, taskExecutionId } = task;
  const context: Draft = {
    instanceId,
    executionId,
    taskId,
    activity: name,
    taskExecutionId,
    signal,
    log,
  };
  if (task.traceParent !== undefined) context.traceParent = task.traceParent;
  if (task.traceState !== undefined) context.traceState = task.traceState;
  return context;
}

/** The fields of a context, as they are filled in. */
type Draft = { -readonly [K in keyof ActivityContext]: ActivityContext[K] };
