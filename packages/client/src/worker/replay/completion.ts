// SPDX-License-Identifier: Apache-2.0

import {
  type CompleteWorkflowAction,
  type HistoryEvent,
  OrchestrationStatus,
  type WorkflowAction,
} from "@pawl/protocol";
import { toFailureDetails } from "../../failure.js";
import type { Failure } from "../../port.js";

/** How an execution ended. Texts are JSON; `id` is the number of the completing action. */
export type Ending =
  | { readonly kind: "completed"; readonly id: number; readonly output: string | undefined }
  | { readonly kind: "failed"; readonly id: number; readonly failure: Failure }
  | { readonly kind: "terminated"; readonly id: number; readonly output: string | undefined }
  | {
      readonly kind: "continuedAsNew";
      readonly id: number;
      readonly input: string | undefined;
      readonly keepEvents: boolean;
    };

const statuses = {
  completed: OrchestrationStatus.COMPLETED,
  failed: OrchestrationStatus.FAILED,
  terminated: OrchestrationStatus.TERMINATED,
  continuedAsNew: OrchestrationStatus.CONTINUED_AS_NEW,
} satisfies Record<Ending["kind"], OrchestrationStatus>;

/** The action that ends an execution. `unconsumed` go over to the next one, if there is one. */
export function completionAction(
  ending: Ending,
  unconsumed: readonly HistoryEvent[],
): WorkflowAction {
  // A plain object of the message's shape: each execution makes one.
  const value: CompleteWorkflowAction = {
    $typeName: "CompleteWorkflowAction",
    workflowStatus: statuses[ending.kind],
    carryoverEvents: ending.kind === "continuedAsNew" && ending.keepEvents ? [...unconsumed] : [],
  };
  const result = resultOf(ending);
  if (result !== undefined) value.result = result;
  if (ending.kind === "failed") value.failureDetails = toFailureDetails(ending.failure);
  return {
    $typeName: "WorkflowAction",
    id: ending.id,
    workflowActionType: { case: "completeWorkflow", value },
  };
}

function resultOf(ending: Ending): string | undefined {
  switch (ending.kind) {
    case "completed":
    case "terminated":
      return ending.output;
    case "continuedAsNew":
      return ending.input;
    case "failed":
      return undefined;
  }
}
