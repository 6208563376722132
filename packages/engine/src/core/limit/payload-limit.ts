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
import { instanceIdFault } from "../instance-id.js";

/** Bytes of a payload when it is over the limit; undefined when it is not, or there is none. */
export function excessBytes(payload: string | undefined): number | undefined {
  // A UTF-16 unit becomes at most three bytes: most payloads need no counting.
  if (payload === undefined || payload.length * 3 <= limits.payloadBytes) return undefined;
  const bytes = Buffer.byteLength(payload, "utf8");
  return bytes > limits.payloadBytes ? bytes : undefined;
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
    const found = payloadOf(action);
    const bytes = excessBytes(found?.payload);
    if (found !== undefined && bytes !== undefined) {
      return [failing(actions, payloadFailure(found.what, bytes))];
    }
  }
  const bytes = excessBytes(customStatus);
  if (bytes === undefined) return actions;
  return [failing(actions, payloadFailure("the custom status", bytes))];
}

/** Why no engine can carry these actions out; undefined: it can. */
function actionsFault(actions: readonly WorkflowAction[]): string | undefined {
  if (actions.length > limits.turnActions) {
    return `a turn asked for ${actions.length} actions; at most ${limits.turnActions} are allowed`;
  }
  for (const action of actions) {
    const { id, workflowActionType: type } = action;
    // Event ids have 32 bits on the wire.
    if (!isEventId(id)) return `action ${id} has no usable id`;
    if (type.case === undefined) return `action ${id} is of a kind that this server does not know`;
    if (type.case !== "createDetachedWorkflow") continue;
    const fault = instanceIdFault(type.value.instanceId);
    if (fault !== undefined) return `action ${id} (workflow "${type.value.name}"): ${fault}`;
  }
  return undefined;
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

function isEventId(id: number): boolean {
  return (id | 0) === id;
}

function payloadOf({
  workflowActionType: type,
}: WorkflowAction): { what: string; payload: string | undefined } | undefined {
  switch (type.case) {
    case "scheduleTask":
      return { what: `the input of activity "${type.value.name}"`, payload: type.value.input };
    case "createChildWorkflow":
    case "createDetachedWorkflow":
      return { what: `the input of workflow "${type.value.name}"`, payload: type.value.input };
    case "sendEvent":
      return { what: `the payload of event "${type.value.name}"`, payload: type.value.data };
    case "completeWorkflow":
      return { what: "the output of the workflow", payload: type.value.result };
    default:
      return undefined;
  }
}
