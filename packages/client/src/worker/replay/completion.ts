// SPDX-License-Identifier: Apache-2.0

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  CompleteWorkflowActionSchema,
  type HistoryEvent,
  OrchestrationStatus,
  type WorkflowAction,
  WorkflowActionSchema,
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

/** The action that ends an execution. `unconsumed` go over to the next one, if there is one. */
export function completionAction(
  ending: Ending,
  unconsumed: readonly HistoryEvent[],
): WorkflowAction {
  return create(WorkflowActionSchema, {
    id: ending.id,
    workflowActionType: {
      case: "completeWorkflow",
      value: create(CompleteWorkflowActionSchema, completionFields(ending, unconsumed)),
    },
  });
}

function completionFields(
  ending: Ending,
  unconsumed: readonly HistoryEvent[],
): MessageInitShape<typeof CompleteWorkflowActionSchema> {
  switch (ending.kind) {
    case "completed":
      return {
        workflowStatus: OrchestrationStatus.COMPLETED,
        ...(ending.output === undefined ? {} : { result: ending.output }),
      };
    case "failed":
      return {
        workflowStatus: OrchestrationStatus.FAILED,
        failureDetails: toFailureDetails(ending.failure),
      };
    case "terminated":
      return {
        workflowStatus: OrchestrationStatus.TERMINATED,
        ...(ending.output === undefined ? {} : { result: ending.output }),
      };
    case "continuedAsNew":
      return {
        workflowStatus: OrchestrationStatus.CONTINUED_AS_NEW,
        ...(ending.input === undefined ? {} : { result: ending.input }),
        ...(ending.keepEvents ? { carryoverEvents: [...unconsumed] } : {}),
      };
  }
}
