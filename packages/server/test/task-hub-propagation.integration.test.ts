// SPDX-License-Identifier: Apache-2.0

import { create, fromBinary } from "@bufbuild/protobuf";
import {
  HistoryEventSchema,
  HistoryPropagationScope,
  type PropagatedHistory,
  type WorkflowAction,
  WorkflowActionSchema,
} from "@pawl/protocol";
import type { WorkflowRequest } from "@pawl/protocol/task-hub";
import { expect, test } from "vitest";
import { completed, startWorker, taskHubClient } from "./task-hub-worker.js";
import { startServer } from "./test-server.js";

const historyPropagationScope = HistoryPropagationScope.LINEAGE;

function asked(workflowActionType: WorkflowAction["workflowActionType"]): WorkflowAction {
  return { ...create(WorkflowActionSchema), workflowActionType };
}

const child = create(WorkflowActionSchema, {
  workflowActionType: {
    case: "createChildWorkflow",
    value: { name: "child", instanceId: "c", historyPropagationScope },
  },
});
const activity = create(WorkflowActionSchema, {
  workflowActionType: {
    case: "scheduleTask",
    value: { name: "look", taskExecutionId: "t", historyPropagationScope },
  },
});

/** The parent asks for a child, the child for an activity; both end with what they get. */
function turn({ instanceId, newEvents }: WorkflowRequest): WorkflowAction[] {
  const types = newEvents.map(({ eventType }) => eventType);
  if (types.some(({ case: kind }) => kind === "executionStarted")) {
    return [asked((instanceId === "p" ? child : activity).workflowActionType)];
  }
  return [completed("1")];
}

/** Who made each chunk, and the kinds of its events. */
function chunksOf(history: PropagatedHistory | undefined): string[][] {
  return (history?.chunks ?? []).map(({ appId, instanceId, workflowName, rawEvents }) => [
    `${appId} ${instanceId} ${workflowName}`,
    ...rawEvents.map((bytes) => fromBinary(HistoryEventSchema, bytes).eventType.case ?? ""),
  ]);
}

test("what is asked for with lineage sees the histories of all above it", async () => {
  const server = await startServer({ appId: "shop" });
  const seen: Record<string, string[][]> = {};
  startWorker(server, {
    turn(request) {
      seen[request.instanceId] = chunksOf(request.propagatedHistory);
      return turn(request);
    },
    activity({ propagatedHistory }) {
      seen.look = chunksOf(propagatedHistory);
      return "1";
    },
  });
  const client = taskHubClient(server);
  await client.startInstance({ instanceId: "p", name: "parent" });
  await client.waitForInstanceCompletion({ instanceId: "p" });
  const begun = ["workflowStarted", "executionStarted"];
  const parent = ["shop p parent", ...begun, "childWorkflowInstanceCreated"];
  expect(seen).toEqual({
    p: [],
    c: [parent],
    look: [parent, ["shop c child", ...begun, "taskScheduled"]],
  });
});
