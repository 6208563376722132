// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { OrchestrationStatus, WorkflowActionSchema } from "@pawl/protocol";
import {
  ActivityResponseSchema,
  type WorkflowResponse,
  WorkflowResponseSchema,
} from "@pawl/protocol/task-hub";
import { describe, expect, test } from "vitest";
import { fromActivityResponse, fromWorkflowResponse } from "./completion.js";

/** A turn's answer that ends the instance with this failure. */
function failing(errorType: string, errorMessage: string): WorkflowResponse {
  const value = {
    workflowStatus: OrchestrationStatus.FAILED,
    failureDetails: { errorType, errorMessage },
  };
  const workflowActionType = { case: "completeWorkflow", value } as const;
  return create(WorkflowResponseSchema, { instanceId: "a", actions: [{ workflowActionType }] });
}

function unregisteredIn(errorType: string, errorMessage: string): string | undefined {
  const failureDetails = { errorType, errorMessage };
  const response = create(ActivityResponseSchema, { instanceId: "a", failureDetails });
  return fromActivityResponse(response, false).unregistered;
}

describe("an activity that is not registered with its worker", () => {
  test.each([
    ["ActivityNotRegisteredError", "Activity function named 'it's' was not registered!"],
    ["ActivityNotRegisteredError", "Activity function 'it's' is not registered."],
    [
      "durabletask.worker.ActivityNotRegisteredError",
      "Activity function named 'it's' was not registered!",
    ],
    ["TaskActivityNotRegistered", "no task activity named 'it's' was registered"],
    ["java.lang.IllegalStateException", "No activity task named 'it's' is registered."],
    ["ActivityNotFoundException", "Activity 'it's' not found"],
  ])("is known by %s: %s", (type, message) => {
    expect(unregisteredIn(type, message)).toBe("it's");
  });

  test.each([
    ["another type", "ValueError", "Activity function 'a' is not registered."],
    ["more text", "TaskActivityNotRegistered", "oops: no task activity named 'a' was registered"],
    ["another text", "java.lang.IllegalStateException", "No luck"],
  ])("is not known by %s", (_title, type, message) => {
    expect(unregisteredIn(type, message)).toBeUndefined();
  });

  test("is a failure like any other for a strict server", () => {
    const failureDetails = {
      errorType: "TaskActivityNotRegistered",
      errorMessage: "no task activity named 'a' was registered",
    };
    const response = create(ActivityResponseSchema, { instanceId: "a", failureDetails });
    const completion = fromActivityResponse(response, true);
    expect(completion).not.toHaveProperty("unregistered");
    expect(completion.failure).toMatchObject(failureDetails);
  });
});

describe("a workflow that is not registered with its worker", () => {
  test.each([
    ["OrchestratorNotRegisteredError", "A 'order' orchestrator was not registered."],
    ["OrchestratorNotRegisteredError", "Orchestrator 'order' does not exist."],
    ["*errors.errorString", "workflow named 'order' is not registered"],
    ["java.lang.IllegalStateException", "No factory found for orchestrator: order"],
  ])("is known by %s: %s", (type, message) => {
    expect(fromWorkflowResponse(failing(type, message), false).unregistered).toBe("order");
    expect(fromWorkflowResponse(failing(type, message), true)).not.toHaveProperty("unregistered");
  });

  test("is not known by an answer that asks for more than the end", () => {
    const response = failing(
      "OrchestratorNotRegisteredError",
      "Orchestrator 'order' does not exist.",
    );
    response.actions.push(create(WorkflowActionSchema, { id: 1 }));
    expect(fromWorkflowResponse(response, false)).not.toHaveProperty("unregistered");
  });
});
