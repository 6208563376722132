// SPDX-License-Identifier: Apache-2.0

import type { AnyActivity, Logger } from "../authoring.js";
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
  const { token: _token, input, ...facts } = task;
  const context = { ...facts, signal, log };
  try {
    // Definitions are kept without their input's type; the caller's types vouch for the input.
    const output = await definition.run(parsePayload(input) as never, context);
    return { output: stringifyPayload(output) };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}
