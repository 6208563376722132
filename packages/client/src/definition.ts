// SPDX-License-Identifier: Apache-2.0

import type {
  ActivityContext,
  ActivityDefinition,
  EventDefinition,
  VersionOptions,
  WorkflowContext,
  WorkflowDefinition,
} from "./authoring.js";

/**
 * Defines a workflow. Its input and output travel as JSON: what JSON cannot say (dates, maps,
 * undefined members) does not arrive as it left. A worker may have several definitions of one name,
 * one for each version.
 */
export function workflow<I = undefined, O = void, const N extends string = string>(
  name: N,
  run: (context: WorkflowContext, input: I) => Promise<O> | O,
  { version, latest }: VersionOptions = {},
): WorkflowDefinition<I, O, N> {
  return Object.freeze({
    kind: "workflow",
    name,
    run,
    ...(version === undefined ? {} : { version }),
    ...(latest === undefined ? {} : { latest }),
  });
}

/** Defines an activity. Its input and output travel as JSON. */
export function activity<I = undefined, O = void, const N extends string = string>(
  name: N,
  run: (input: I, context: ActivityContext) => Promise<O> | O,
): ActivityDefinition<I, O, N> {
  return Object.freeze({ kind: "activity", name, run });
}

/** Names an external event and gives its payload a type, for both who raises and who waits. */
export function event<T = undefined>(name: string): EventDefinition<T> {
  return Object.freeze({ kind: "event", name });
}
