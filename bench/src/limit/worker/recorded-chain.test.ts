// SPDX-License-Identifier: Apache-2.0

import { create, fromBinary } from "@bufbuild/protobuf";
import { type WorkItem, WorkItemSchema } from "@pawl/protocol/task-hub";
import { expect, test } from "vitest";
import { idOf, RecordedChain } from "./recorded-chain.js";

/** An activity of the instance whose id is recorded, which stands in it twice. */
function itemOf(taskId: number): WorkItem {
  const recorded = "recorded".padEnd(36, "-");
  return create(WorkItemSchema, {
    completionToken: `${recorded}/${taskId}`,
    request: {
      case: "activityRequest",
      value: { name: "increment", taskId, workflowInstance: { instanceId: recorded } },
    },
  });
}

test("hands out each recorded item for another instance, and keeps the record", () => {
  const chain = new RecordedChain([itemOf(1), itemOf(2)]);

  for (const number of [7, 12_345]) {
    const frame = chain.frame(1, idOf(number));
    const item = fromBinary(WorkItemSchema, frame.subarray(5));

    expect(frame.readUInt32BE(1)).toBe(frame.length - 5);
    expect(item.completionToken).toBe(`${idOf(number)}/2`);
    expect(item.request.value).toMatchObject({
      taskId: 2,
      workflowInstance: { instanceId: idOf(number) },
    });
  }
});
