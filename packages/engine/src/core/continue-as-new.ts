// SPDX-License-Identifier: Apache-2.0

import { type CompleteWorkflowAction, EventRecord, type TraceContext } from "@pawl/protocol";
import { inboundRecord, optional } from "./event.js";
import type { Outcome } from "./outcome.js";
import { propagateOnward } from "./propagation.js";
import { executionStart, hasSpan, type InstanceState } from "./state.js";
import { parseTraceParent, rootTrace, traceFields } from "./trace/trace-context.js";

/** The turn that ends an execution. */
export interface LastTurn {
  /** The inbox events that it took. */
  readonly taken: readonly EventRecord[];
  readonly customStatus: string | undefined;
  /** All events of the execution, where it hands them on. */
  readonly events: readonly EventRecord[];
  /** Name of the application, for histories that are handed on. */
  readonly appId: string;
}

/**
 * Replaces an execution by its next one: same id, name, parent and tags, new execution id and trace,
 * empty history; the inbox has the new start, then a suspension that was in force, then the events
 * carried over, then what no turn has taken. Everything else that the turn asked for is dropped
 * (engine semantics 4.8).
 */
export function continueAsNew(
  state: InstanceState,
  { taken, customStatus, events, appId }: LastTurn,
  action: CompleteWorkflowAction,
  createId: () => string,
  now: number,
): Outcome {
  const before = executionStart(state);
  const executionId = createId();
  const start = inboundRecord(now, {
    case: "executionStarted",
    value: {
      name: state.workflow,
      ...optional("input", action.result),
      workflowInstance: { instanceId: state.instanceId, executionId },
      ...optional("parentInstance", before?.parentInstance),
      ...traceFields(nextTrace(before?.parentTraceContext, createId), executionId, hasSpan(state)),
      tags: { ...state.tags },
    },
  });
  return {
    beginning: {
      instanceId: state.instanceId,
      generation: state.generation + 1,
      workflow: state.workflow,
      executionId,
      createdAt: now,
      startAt: 0,
      parent: state.parent,
      tags: state.tags,
      continued: true,
      propagated: propagateOnward({ ...state, appId }, events),
    },
    accepted: [start, ...suspension(state, taken, now), ...carried(action)],
    turn: { consumed: taken.length, appended: [], customStatus },
    messages: [],
  };
}

/** Where there was a trace, a new one begins; it is recorded if that one was. */
function nextTrace(
  before: TraceContext | undefined,
  createId: () => string,
): TraceContext | undefined {
  if (before === undefined) return undefined;
  return rootTrace(createId(), parseTraceParent(before.traceParent)?.flags);
}

/**
 * External events, and nothing else: results are for the tasks of the execution before, whose numbers
 * the next one gives again, and its beginning and end are not the worker's to write.
 */
function carried(action: CompleteWorkflowAction): EventRecord[] {
  return action.carryoverEvents
    .filter(({ eventType }) => eventType.case === "eventRaised")
    .map((event) => EventRecord.of(event));
}

/** A suspension ends with a resume, and not because its worker went on all the same. */
function suspension(
  state: InstanceState,
  taken: readonly EventRecord[],
  now: number,
): EventRecord[] {
  const marker = taken.findLast(({ event: { eventType } }) => {
    return eventType.case === "executionSuspended" || eventType.case === "executionResumed";
  });
  if (marker?.event.eventType.case === "executionSuspended") return [marker];
  if (marker !== undefined || !state.fold.suspended) return [];
  return [inboundRecord(now, { case: "executionSuspended", value: {} })];
}
