// SPDX-License-Identifier: Apache-2.0

import type { ActivityResult, HistoryEvent, TurnResult, WorkflowAction } from "@pawl/protocol";
import { fromFailureDetails } from "../../failure.js";

/** Characters that an action, or an event that goes on with it, takes beside its payload, about. */
const actionLength = 256;

/** Characters of a turn's result, about: those of its payloads, and something for each action. */
export function turnLength({ actions, customStatus = "" }: TurnResult): number {
  return actions.reduce(
    (sum, action) => sum + actionLength + payloadLength(action),
    customStatus.length,
  );
}

/** Characters of the payload of an activity's result. */
export function activityLength({ output = "", failure }: ActivityResult): number {
  return output.length + (failure === undefined ? 0 : failureLength(failure));
}

/** Characters of payload in an action. */
export function payloadLength({ workflowActionType: type }: WorkflowAction): number {
  switch (type.case) {
    case "scheduleTask":
    case "createChildWorkflow":
      return type.value.input?.length ?? 0;
    case "sendEvent":
      return type.value.data?.length ?? 0;
    case "completeWorkflow": {
      const { result = "", failureDetails, carryoverEvents } = type.value;
      const failure =
        failureDetails === undefined ? 0 : failureLength(fromFailureDetails(failureDetails));
      return carryoverEvents.reduce(
        (sum, event) => sum + eventLength(event),
        result.length + failure,
      );
    }
    default:
      return 0;
  }
}

/** The texts of a failure, in the port's form or the message's. */
interface FailureTexts {
  readonly type: string;
  readonly message: string;
  readonly stackTrace?: string | undefined;
  readonly cause?: FailureTexts | undefined;
}

/** Characters of a failure's texts, and of those of its causes. */
export function failureLength({ type, message, stackTrace = "", cause }: FailureTexts): number {
  const own = type.length + message.length + stackTrace.length;
  return cause === undefined ? own : own + failureLength(cause);
}

/** Only events that were raised are carried over. */
function eventLength({ eventType: type }: HistoryEvent): number {
  return actionLength + (type.case === "eventRaised" ? (type.value.input?.length ?? 0) : 0);
}
