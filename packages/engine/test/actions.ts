// SPDX-License-Identifier: Apache-2.0

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type HistoryEvent,
  HistoryPropagationScope,
  OrchestrationStatus,
  type TaskFailureDetails,
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

/** A plain field, or nothing where it is undefined. */
function field<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  const fields: { [P in K]?: V } = {};
  if (value !== undefined) fields[key] = value;
  return fields;
}

function action(id: number, workflowActionType: ActionType): WorkflowAction {
  return create(WorkflowActionSchema, { id, workflowActionType });
}

/** Asks for an activity. */
export function schedule(id: number, name: string, input?: string): WorkflowAction {
  const value = { name, taskExecutionId: `call-${id}`, ...field("input", input) };
  return action(id, { case: "scheduleTask", value });
}

/** By what scope a history is handed on. */
export const { OWN_HISTORY: own, LINEAGE: lineage } = HistoryPropagationScope;

/** Asks for an activity or a child that is given the history of those above it. */
export function given(
  asked: WorkflowAction,
  historyPropagationScope: HistoryPropagationScope,
): WorkflowAction {
  const { id, workflowActionType: type } = asked;
  if (type.case === "scheduleTask" || type.case === "createChildWorkflow") {
    const value = { ...type.value, historyPropagationScope };
    return create(WorkflowActionSchema, {
      id,
      workflowActionType: { ...type, value },
    } as MessageInitShape<typeof WorkflowActionSchema>);
  }
  throw new Error("nothing that is given a history");
}

/** Asks for a timer; with `eventName`, one that bounds the wait for that event. */
export function timer(id: number, fireAt: number, eventName?: string): WorkflowAction {
  const value = { fireAt: toTimestamp(fireAt) };
  if (eventName === undefined) return action(id, { case: "createTimer", value });
  const origin = { case: "externalEvent", value: { name: eventName } } as const;
  return action(id, { case: "createTimer", value: { ...value, origin } });
}

/** Asks for a child workflow; an empty id leaves the choice to the engine. */
export function child(id: number, name: string, instanceId = "", input?: string): WorkflowAction {
  const value = { name, instanceId, ...field("input", input) };
  return action(id, { case: "createChildWorkflow", value });
}

/** Asks for a workflow of its own. */
export function detached(
  id: number,
  name: string,
  instanceId: string,
  more: { input?: string; startAt?: number; tags?: Record<string, string> } = {},
): WorkflowAction {
  const value = {
    name,
    instanceId,
    ...field("input", more.input),
    ...field(
      "scheduledStartTimestamp",
      more.startAt === undefined ? undefined : toTimestamp(more.startAt),
    ),
    ...field("tags", more.tags),
  };
  return action(id, { case: "createDetachedWorkflow", value });
}

/** Sends an event to another instance. */
export function sendEvent(
  id: number,
  instanceId: string,
  name: string,
  data?: string,
): WorkflowAction {
  const value = { instance: { instanceId }, name, ...field("data", data) };
  return action(id, { case: "sendEvent", value });
}

/** Terminates another instance. */
export function terminateOther(
  id: number,
  instanceId: string,
  reason?: string,
  recurse = true,
): WorkflowAction {
  const value = { instanceId, recurse, ...field("reason", reason) };
  return action(id, { case: "terminateWorkflow", value });
}

/** Ends the workflow well. */
export function complete(id: number, result?: string): WorkflowAction {
  const value = { workflowStatus: OrchestrationStatus.COMPLETED, ...field("result", result) };
  return action(id, { case: "completeWorkflow", value });
}

/** Ends the workflow with a failure. */
export function fail(id: number, failureDetails: TaskFailureDetails): WorkflowAction {
  const value = { workflowStatus: OrchestrationStatus.FAILED, failureDetails };
  return action(id, { case: "completeWorkflow", value });
}

/** Ends the workflow as a worker does that found a terminate. */
export function completeTerminated(id: number, result?: string): WorkflowAction {
  const value = { workflowStatus: OrchestrationStatus.TERMINATED, ...field("result", result) };
  return action(id, { case: "completeWorkflow", value });
}

/** Ends the workflow "stalled", as Java's and .NET's workers say that they lack its code. */
export function completeStalled(id: number, details?: string): WorkflowAction {
  const value = { workflowStatus: OrchestrationStatus.STALLED, ...field("details", details) };
  return action(id, { case: "completeWorkflow", value });
}

/** Goes on as a new execution. */
export function continueWith(
  id: number,
  input?: string,
  carryoverEvents: HistoryEvent[] = [],
): WorkflowAction {
  const workflowStatus = OrchestrationStatus.CONTINUED_AS_NEW;
  const value = { workflowStatus, carryoverEvents, ...field("result", input) };
  return action(id, { case: "completeWorkflow", value });
}

/** Says that the worker lacks the version. */
export function versionNotAvailable(id: number): WorkflowAction {
  return action(id, { case: "workflowVersionNotAvailable", value: {} });
}

/** An action of no kind that anybody knows. */
export function unknownAction(id: number): WorkflowAction {
  return create(WorkflowActionSchema, { id });
}

/** Failure details of an activity or workflow. */
export function failure(errorType: string, errorMessage: string): TaskFailureDetails {
  return create(TaskFailureDetailsSchema, { errorType, errorMessage });
}
