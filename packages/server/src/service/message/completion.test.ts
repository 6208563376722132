// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import type { ActivityItem } from "@pawl/engine";
import { ActivityResultSchema, TurnResultSchema } from "@pawl/protocol";
import { ActivityResponseSchema, WorkflowResponseSchema } from "@pawl/protocol/task-hub";
import { describe, expect, test } from "vitest";
import { toActivityTask, toActivityWorkItem } from "./activity.js";
import {
  fromActivityResponse,
  fromWorkflowResponse,
  toActivityCompletion,
  toTurnCompletion,
} from "./completion.js";

const item: ActivityItem = {
  kind: "activity",
  instanceId: "a",
  executionId: "e",
  taskId: 3,
  name: "charge",
  taskExecutionId: "call-3",
  token: "t",
};
const traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

describe("an activity for a worker of the sidecar service", () => {
  test("has the fields that Dapr fills", () => {
    const { completionToken, request } = toActivityWorkItem({
      ...item,
      input: "1",
      version: "v",
      traceParent,
    });

    expect(completionToken).toBe("t");
    expect(request.value).toMatchObject({
      name: "charge",
      version: "v",
      input: "1",
      workflowInstance: { instanceId: "a" },
      taskId: 3,
      taskExecutionId: "call-3",
      parentTraceContext: { traceParent },
    });
  });

  test("has no input when there is none", () => {
    expect(toActivityWorkItem(item).request.value).not.toHaveProperty("input");
  });
});

test("an activity for Pawl's worker has every field", () => {
  expect(toActivityTask({ ...item, input: "1", traceParent })).toMatchObject({
    instanceId: "a",
    executionId: "e",
    taskId: 3,
    activity: "charge",
    input: "1",
    token: "t",
    taskExecutionId: "call-3",
    traceParent,
  });
});

describe("a turn's result", () => {
  test("is read from a worker of the sidecar service", () => {
    const response = create(WorkflowResponseSchema, {
      instanceId: "a",
      completionToken: "t",
      customStatus: "1",
      version: { name: "v2", patches: ["p"] },
    });

    expect(fromWorkflowResponse(response, false)).toEqual({
      instanceId: "a",
      token: "t",
      actions: [],
      customStatus: "1",
      version: { name: "v2", patches: ["p"] },
    });
  });

  test("is read from Pawl's worker", () => {
    const result = create(TurnResultSchema, { instanceId: "a", token: "t", version: "v2" });

    expect(toTurnCompletion(result)).toEqual({
      instanceId: "a",
      token: "t",
      actions: [],
      version: { name: "v2", patches: [] },
    });
  });

  test("has patches without a version's name", () => {
    const result = create(TurnResultSchema, { instanceId: "a", token: "t", patches: ["p", "q"] });
    expect(toTurnCompletion(result).version).toEqual({ patches: ["p", "q"] });
  });

  test("has no custom status and version when there are none", () => {
    const response = create(WorkflowResponseSchema, { instanceId: "a" });
    const result = create(TurnResultSchema, { instanceId: "a" });

    for (const completion of [fromWorkflowResponse(response, false), toTurnCompletion(result)]) {
      expect(completion).toEqual({ instanceId: "a", token: "", actions: [] });
    }
  });
});

describe("an activity's result", () => {
  test("is read from a worker of the sidecar service", () => {
    const failureDetails = { errorType: "E", errorMessage: "m" };
    const response = create(ActivityResponseSchema, {
      instanceId: "a",
      taskId: 3,
      completionToken: "t",
      failureDetails,
    });

    const completion = fromActivityResponse(response, false);

    expect(completion).toMatchObject({ instanceId: "a", taskId: 3, token: "t" });
    expect(completion.failure).toMatchObject(failureDetails);
    expect(completion).not.toHaveProperty("output");
  });

  test("is read from Pawl's worker", () => {
    const failed = create(ActivityResultSchema, {
      instanceId: "a",
      taskId: 3,
      token: "t",
      failure: { type: "E", message: "m", cause: { type: "C", message: "c" } },
    });
    const done = create(ActivityResultSchema, { instanceId: "a", taskId: 3, output: "1" });

    expect(toActivityCompletion(failed).failure).toMatchObject({
      errorType: "E",
      errorMessage: "m",
      innerFailure: { errorType: "C", errorMessage: "c" },
    });
    expect(toActivityCompletion(done)).toEqual({
      instanceId: "a",
      taskId: 3,
      token: "",
      output: "1",
    });
  });
});
