// SPDX-License-Identifier: Apache-2.0

import {
  fromTimestamp,
  type HistoryEvent,
  OrchestrationStatus,
  type WorkflowAction,
} from "@pawl/protocol";
import type { AnyWorkflow, Logger } from "../src/authoring.js";
import { Replay, type TurnOutcome } from "../src/worker/replay/replay.js";

/** A logger that says nothing. */
export const silent: Logger = { info() {}, warn() {}, error() {} };

/** A replay of instance "i", execution "e". */
export function replayOf(workflow: AnyWorkflow, log: Logger = silent): LoneReplay {
  return new LoneReplay({ workflow, instanceId: "i", executionId: "e", log });
}

/** A replay that is run by itself, as a session runs many. */
export class LoneReplay extends Replay {
  /** Runs a turn; resolves with what the code asks for. */
  async turn(past: readonly HistoryEvent[], events: readonly HistoryEvent[]): Promise<TurnOutcome> {
    this.begin(past, events);
    await undefined;
    if (this.advance()) await this.finish();
    return this.outcome();
  }
}

/** An action in a few words: `0 activity charge {"amount":1}`. */
export function describeAction(action: WorkflowAction): string {
  const type = action.workflowActionType;
  switch (type.case) {
    case "scheduleTask":
      return words(action.id, "activity", type.value.name, type.value.input);
    case "createChildWorkflow":
      return words(action.id, "child", type.value.name, type.value.instanceId, type.value.input);
    case "createTimer": {
      const at = type.value.fireAt ? fromTimestamp(type.value.fireAt) : 0;
      const { origin } = type.value;
      const what = origin.case === "externalEvent" ? origin.value.name : type.value.name;
      return words(action.id, "timer", String(origin.case), what, `at ${at}`);
    }
    case "sendEvent":
      return words(action.id, "send", type.value.name, type.value.data);
    case "completeWorkflow": {
      const status = OrchestrationStatus[type.value.workflowStatus].toLowerCase();
      const failure = type.value.failureDetails;
      const why = failure && `${failure.errorType}: ${failure.errorMessage}`;
      return words(action.id, status, type.value.result, why);
    }
    default:
      return String(type.case);
  }
}

/** What a turn asks for, in a few words an action. */
export function asked(outcome: TurnOutcome): string[] {
  return outcome.actions.map(describeAction);
}

function words(...parts: (string | number | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join(" ");
}
