// SPDX-License-Identifier: Apache-2.0

import { OrchestrationStatus } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { PureInstance } from "../../test/pure-instance.js";
import { childRefused, resultForParent } from "./child-result.js";
import { actionRecord, inboundRecord, terminatedCompletion } from "./event.js";

const { state } = PureInstance.after([]);
const parent = { instanceId: "parent", executionId: "parent-1", taskId: 4 };

describe("resultForParent()", () => {
  test("has nothing to say without a parent, or before the end", () => {
    expect(resultForParent(state, terminatedCompletion(9, undefined), 9)).toEqual([]);
    const raised = inboundRecord(9, { case: "eventRaised", value: { name: "a" } });
    expect(resultForParent({ ...state, parent }, raised, 9)).toEqual([]);
  });

  test("gives a terminated child failure details, so that no worker takes it for a success", () => {
    const [message] = resultForParent({ ...state, parent }, terminatedCompletion(9, "1"), 9);
    expect(message?.record.event.eventType).toMatchObject({
      case: "childWorkflowInstanceFailed",
      value: {
        taskScheduledId: 4,
        failureDetails: {
          errorType: "WorkflowTerminated",
          errorMessage: "the child workflow was terminated",
        },
      },
    });
  });

  test("says of a child that failed without details that it failed, not that it was ended", () => {
    const failed = actionRecord(0, 9, {
      case: "executionCompleted",
      value: { workflowStatus: OrchestrationStatus.FAILED },
    });
    const [message] = resultForParent({ ...state, parent }, failed, 9);
    expect(message?.record.event).toMatchObject({
      eventId: -1,
      eventType: {
        case: "childWorkflowInstanceFailed",
        value: { failureDetails: { errorType: "WorkflowFailed", isNonRetriable: false } },
      },
    });
  });
});

describe("childRefused()", () => {
  test("fails the parent's task with the reason", () => {
    expect(childRefused(4, "taken", 9).event.eventType).toMatchObject({
      case: "childWorkflowInstanceFailed",
      value: {
        taskScheduledId: 4,
        failureDetails: { errorType: "WorkflowInstanceAlreadyExists", errorMessage: "taken" },
      },
    });
  });
});
