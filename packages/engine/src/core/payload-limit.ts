// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import {
  limits,
  OrchestrationStatus,
  type TaskFailureDetails,
  type WorkflowAction,
  WorkflowActionSchema,
} from "@pawl/protocol";
import { engineFailure } from "./event.js";

/** Bytes of a payload when it is over the limit; undefined when it is not, or there is none. */
export function excessBytes(payload: string | undefined): number | undefined {
  // A UTF-16 unit becomes at most three bytes: most payloads need no counting.
  if (payload === undefined || payload.length * 3 <= limits.payloadBytes) return undefined;
  const bytes = Buffer.byteLength(payload, "utf8");
  return bytes > limits.payloadBytes ? bytes : undefined;
}

/** The failure of an activity or workflow whose payload is over the limit. */
export function payloadFailure(what: string, bytes: number): TaskFailureDetails {
  const failure = engineFailure(
    "PayloadTooLarge",
    `${what} has ${bytes} bytes; at most ${limits.payloadBytes} are allowed: keep large data elsewhere and pass a reference`,
  );
  failure.isNonRetriable = true;
  return failure;
}

/**
 * The actions of a turn, or, when one of them carries more than the limit, one that fails the
 * instance: no other instance is hurt, and its callers see why.
 */
export function limitActions(
  actions: readonly WorkflowAction[],
  customStatus: string | undefined,
): readonly WorkflowAction[] {
  for (const action of actions) {
    const found = payloadOf(action);
    const bytes = excessBytes(found?.payload);
    if (found !== undefined && bytes !== undefined) return [failing(actions, found.what, bytes)];
  }
  const bytes = excessBytes(customStatus);
  return bytes === undefined ? actions : [failing(actions, "the custom status", bytes)];
}

function failing(actions: readonly WorkflowAction[], what: string, bytes: number): WorkflowAction {
  const id = actions.reduce((highest, action) => Math.max(highest, action.id), -1);
  return create(WorkflowActionSchema, {
    id,
    workflowActionType: {
      case: "completeWorkflow",
      value: {
        workflowStatus: OrchestrationStatus.FAILED,
        failureDetails: payloadFailure(what, bytes),
      },
    },
  });
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
