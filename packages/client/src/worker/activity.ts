// SPDX-License-Identifier: Apache-2.0

import type { ActivityContext, AnyActivity, Logger } from "../authoring.js";
import { failureOf } from "../failure.js";
import { parsePayload, stringifyPayload } from "../payload.js";
import type { ActivityOutcome, ActivityTask } from "./link/work.js";

/** Runs an activity once. Never rejects: what the code throws is the outcome. */
export async function runActivity(
  definition: AnyActivity | undefined,
  task: ActivityTask,
  signal: AbortSignal,
  log: Logger,
): Promise<ActivityOutcome> {
  if (definition === undefined) {
    const message = `this worker has no activity "${task.activity}"`;
    return { failure: { type: "ActivityNotRegistered", message, nonRetriable: true } };
  }
  try {
    // Definitions are kept without their input's type; the caller's types vouch for the input.
    const input = parsePayload(task.input) as never;
    const output = await definition.run(input, contextOf(task, signal, log));
    return { output: stringifyPayload(output) };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

/** Field by field: taking some out of a task costs more than all else that is done here. */
function contextOf(task: ActivityTask, signal: AbortSignal, log: Logger): ActivityContext {
  const { instanceId, executionId, taskId, activity, taskExecutionId } = task;
  const context: Draft = {
    instanceId,
    executionId,
    taskId,
    activity,
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
