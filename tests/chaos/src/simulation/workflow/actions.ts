// SPDX-License-Identifier: Apache-2.0

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type HistoryEvent,
  HistoryPropagationScope,
  OrchestrationStatus,
  TaskFailureDetailsSchema,
  toTimestamp,
  type WorkflowAction,
  WorkflowActionSchema,
} from "@pawl/protocol";

type ActionType = NonNullable<
  Extract<
    MessageInitShape<typeof WorkflowActionSchema>,
    { $typeName?: never }
  >["workflowActionType"]
>;

function action(id: number, workflowActionType: ActionType): WorkflowAction {
  return create(WorkflowActionSchema, { id, workflowActionType });
}

/** What an activity or a child is given of the histories above it: its asker's, or those above it, too. */
export type Scope = "own" | "lineage";

/** The scope on the wire. */
export const wireScope = {
  own: HistoryPropagationScope.OWN_HISTORY,
  lineage: HistoryPropagationScope.LINEAGE,
} satisfies Record<Scope, HistoryPropagationScope>;

function handingOn(scope: Scope | undefined): {
  historyPropagationScope?: HistoryPropagationScope;
} {
  return scope === undefined ? {} : { historyPropagationScope: wireScope[scope] };
}

/** What is asked for. */
export interface Asked {
  readonly name: string;
  readonly input: string;
  readonly scope?: Scope | undefined;
}

/** Asks for an activity. */
export function activityAction(id: number, { name, input, scope }: Asked): WorkflowAction {
  const value = { name, input, taskExecutionId: `call-${id}`, ...handingOn(scope) };
  return action(id, { case: "scheduleTask", value });
}

/** Asks for a timer; with `eventName`, one that bounds the wait for that event. */
export function timerAction(id: number, fireAt: number, eventName?: string): WorkflowAction {
  const value = { fireAt: toTimestamp(fireAt) };
  if (eventName === undefined) return action(id, { case: "createTimer", value });
  const origin = { case: "externalEvent", value: { name: eventName } } as const;
  return action(id, { case: "createTimer", value: { ...value, origin } });
}

/** Asks for a child workflow; an empty id leaves the choice to the engine. */
export function childAction(
  id: number,
  instanceId: string,
  { name, input, scope }: Asked,
): WorkflowAction {
  const value = { name, instanceId, input, ...handingOn(scope) };
  return action(id, { case: "createChildWorkflow", value });
}

/** Asks for a workflow of its own. */
export function detachedAction(
  id: number,
  name: string,
  instanceId: string,
  input: string,
): WorkflowAction {
  return action(id, { case: "createDetachedWorkflow", value: { name, instanceId, input } });
}

/** Sends an event to another instance. */
export function eventAction(
  id: number,
  instanceId: string,
  name: string,
  data: string,
): WorkflowAction {
  return action(id, { case: "sendEvent", value: { instance: { instanceId }, name, data } });
}

/** Terminates another instance. */
export function terminateAction(id: number, instanceId: string): WorkflowAction {
  return action(id, {
    case: "terminateWorkflow",
    value: { instanceId, reason: '"killed"', recurse: true },
  });
}

/** Ends the workflow. */
export function endAction(
  id: number,
  status: "COMPLETED" | "TERMINATED",
  result: string | undefined,
): WorkflowAction {
  const workflowStatus = OrchestrationStatus[status];
  const value = result === undefined ? { workflowStatus } : { workflowStatus, result };
  return action(id, { case: "completeWorkflow", value });
}

/** Ends the workflow with a failure. */
export function failAction(id: number, message: string, errorType?: string): WorkflowAction {
  const failureDetails = failure(message, errorType);
  const workflowStatus = OrchestrationStatus.FAILED;
  return action(id, { case: "completeWorkflow", value: { workflowStatus, failureDetails } });
}

/** Goes on as a new execution. */
export function renewAction(
  id: number,
  result: string,
  carryoverEvents: HistoryEvent[],
): WorkflowAction {
  const workflowStatus = OrchestrationStatus.CONTINUED_AS_NEW;
  return action(id, {
    case: "completeWorkflow",
    value: { workflowStatus, result, carryoverEvents },
  });
}

/** Says that the worker lacks the version that the instance was begun with. */
export function noVersionAction(id: number): WorkflowAction {
  return action(id, { case: "workflowVersionNotAvailable", value: {} });
}

/** Failure details. */
export function failure(errorMessage: string, errorType = "Failed") {
  return create(TaskFailureDetailsSchema, { errorType, errorMessage });
}
