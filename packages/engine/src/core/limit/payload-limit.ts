// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import {
  limits,
  OrchestrationStatus,
  type TaskFailureDetails,
  type WorkflowAction,
  WorkflowActionSchema,
} from "@pawl/protocol";
import { finalFailure } from "../event.js";
import { actionsFault, isEventId } from "./action-fault.js";
import { failureLength } from "./failure-limit.js";

/** Bytes of a payload when it is over the limit; undefined when it is not, or there is none. */
export function excessBytes(
  payload: string | undefined,
  limitBytes: number = limits.payloadBytes,
): number | undefined {
  // A UTF-16 unit becomes at most three bytes: most payloads need no counting.
  if (payload === undefined || payload.length * 3 <= limitBytes) return undefined;
  const bytes = Buffer.byteLength(payload, "utf8");
  return bytes > limitBytes ? bytes : undefined;
}

/** The failure of an activity or workflow whose payload is over the limit. */
export function payloadFailure(what: string, bytes: number): TaskFailureDetails {
  return finalFailure(
    "PayloadTooLarge",
    `${what} has ${bytes} bytes; at most ${limits.payloadBytes} are allowed: keep large data elsewhere and pass a reference`,
  );
}

/**
 * The actions of a turn, or, when one of them cannot be carried out or carries more than the limit,
 * one that fails the instance: no other instance is hurt, and its callers see why. Trying the turn
 * again could not help.
 */
export function limitActions(
  actions: readonly WorkflowAction[],
  customStatus: string | undefined,
): readonly WorkflowAction[] {
  const fault = actionsFault(actions);
  if (fault !== undefined) return [failing(actions, finalFailure("InvalidAction", fault))];
  for (const action of actions) {
    const failure = excessOf(action);
    if (failure !== undefined) return [failing(actions, failure)];
  }
  const bytes = excessBytes(customStatus);
  if (bytes === undefined) return actions;
  return [failing(actions, payloadFailure("the custom status", bytes))];
}

/** An action that fails the instance in place of those that a turn asked for. */
export function failing(
  actions: readonly WorkflowAction[],
  failureDetails: TaskFailureDetails,
): WorkflowAction {
  const ids = actions.map((action) => action.id).filter(isEventId);
  return create(WorkflowActionSchema, {
    id: ids.reduce((highest, id) => Math.max(highest, id), -1),
    workflowActionType: {
      case: "completeWorkflow",
      value: { workflowStatus: OrchestrationStatus.FAILED, failureDetails },
    },
  });
}

/** Why an action carries more than the limit; undefined: it does not. */
function excessOf(action: WorkflowAction): TaskFailureDetails | undefined {
  const bytes = excessBytes(payloadOf(action));
  if (bytes !== undefined) return payloadFailure(payloadName(action), bytes);
  const { workflowActionType: type } = action;
  if (type.case !== "completeWorkflow" || type.value.failureDetails === undefined) return undefined;
  return failureExcess("the failure of the workflow", type.value.failureDetails);
}

/** What takes the place of a failure whose texts are over the limit; undefined: they are not. */
export function failureExcess(
  what: string,
  failure: TaskFailureDetails,
): TaskFailureDetails | undefined {
  const length = failureLength(failure);
  return length > limits.payloadBytes ? payloadFailure(what, length) : undefined;
}

function payloadOf({ workflowActionType: type }: WorkflowAction): string | undefined {
  switch (type.case) {
    case "scheduleTask":
    case "createChildWorkflow":
    case "createDetachedWorkflow":
      return type.value.input;
    case "sendEvent":
      return type.value.data;
    case "terminateWorkflow":
      return type.value.reason;
    case "completeWorkflow":
      return type.value.result;
    default:
      return undefined;
  }
}

function payloadName({ workflowActionType: type }: WorkflowAction): string {
  switch (type.case) {
    case "scheduleTask":
      return `the input of activity "${type.value.name}"`;
    case "createChildWorkflow":
    case "createDetachedWorkflow":
      return `the input of workflow "${type.value.name}"`;
    case "sendEvent":
      return `the payload of event "${type.value.name}"`;
    case "terminateWorkflow":
      return "the reason of a terminate";
    default:
      return "the output of the workflow";
  }
}
