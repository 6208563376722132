// SPDX-License-Identifier: Apache-2.0

import { create, toBinary } from "@bufbuild/protobuf";
import type { ActivityItem } from "@pawl/engine";
import { PropagatedHistorySchema } from "@pawl/protocol";
import { WorkItemSchema } from "@pawl/protocol/task-hub";
import { expect, test } from "vitest";
import { encodeActivityWorkItem, toActivityWorkItem } from "./activity.js";

const plain: ActivityItem = {
  kind: "activity",
  instanceId: "a",
  executionId: "e-1",
  taskId: 3,
  name: "charge",
  token: "t-1",
  taskExecutionId: "t-e",
};
const traced: ActivityItem = { ...plain, traceParent: "00-aa-bb-01" };

const propagated = toBinary(
  PropagatedHistorySchema,
  create(PropagatedHistorySchema, { chunks: [{ appId: "shop", instanceId: "p" }] }),
);
const full: ActivityItem = {
  ...traced,
  version: "1.2",
  input: '"ä"',
  traceState: "c=d",
  propagated,
};

test.each<[string, ActivityItem]>([
  ["a plain one", plain],
  ["the first, with an input that is empty", { ...plain, taskId: 0, input: "" }],
  ["one with all that it may have", full],
  ["one that says little of itself", { ...traced, taskExecutionId: "", token: "" }],
])("an activity is encoded as the message's encoder does: %s", (_name, item) => {
  const expected = toBinary(WorkItemSchema, toActivityWorkItem(item));

  expect(encodeActivityWorkItem(item)).toEqual(expected);
});
