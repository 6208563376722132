// SPDX-License-Identifier: Apache-2.0

import { OrchestrationStatus, type TaskFailureDetails, type WorkflowAction } from "@pawl/protocol";

/** Microsoft's Python worker says what Dapr's does, and the module of the type. */
const microsoftModule = "durabletask.worker.";

/** How a worker says that it has nothing of a name: the type of its failure, and its whole text. */
type Saying = readonly [type: string, message: RegExp];

/**
 * Activities. Seen on the wire, but for .NET's, which is from its source. Microsoft's
 * JavaScript worker says what Dapr's does. docs/workers.md has the table.
 */
const activitySayings: readonly Saying[] = [
  ["ActivityNotRegisteredError", /^Activity function named '(.*)' was not registered!$/su], // Python
  ["ActivityNotRegisteredError", /^Activity function '(.*)' is not registered\.$/su], // JavaScript
  ["TaskActivityNotRegistered", /^no task activity named '(.*)' was registered$/su], // Go
  ["java.lang.IllegalStateException", /^No activity task named '(.*)' is registered\.$/su],
  ["ActivityNotFoundException", /^Activity '(.*)' not found$/su], // .NET
];

/** Workflows. .NET's worker says nothing at all: it answers an unknown workflow with no actions. */
const workflowSayings: readonly Saying[] = [
  ["OrchestratorNotRegisteredError", /^A '(.*)' orchestrator was not registered\.$/su], // Python
  ["OrchestratorNotRegisteredError", /^Orchestrator '(.*)' does not exist\.$/su], // JavaScript
  ["*errors.errorString", /^workflow named '(.*)' is not registered$/su], // Go
  ["java.lang.IllegalStateException", /^No factory found for orchestrator: (.*)$/su],
];

/** The activity that a worker says it does not have; undefined for any other failure. */
export function unregisteredActivity(failure: TaskFailureDetails): string | undefined {
  return nameIn(activitySayings, failure);
}

/**
 * The workflow that a worker says it does not have: the only thing that its answer asks for is the end
 * of the instance with this failure. Undefined for any other answer.
 */
export function unregisteredWorkflow(actions: readonly WorkflowAction[]): string | undefined {
  const [action, ...others] = actions;
  const type = action?.workflowActionType;
  if (type?.case !== "completeWorkflow" || others.length > 0) return undefined;
  const { workflowStatus, failureDetails } = type.value;
  return workflowStatus === OrchestrationStatus.FAILED && failureDetails !== undefined
    ? nameIn(workflowSayings, failureDetails)
    : undefined;
}

function nameIn(
  sayings: readonly Saying[],
  { errorType, errorMessage }: TaskFailureDetails,
): string | undefined {
  const saidType = errorType.startsWith(microsoftModule)
    ? errorType.slice(microsoftModule.length)
    : errorType;
  for (const [type, message] of sayings) {
    const found = type === saidType ? message.exec(errorMessage) : null;
    if (found !== null) return found[1];
  }
  return undefined;
}
