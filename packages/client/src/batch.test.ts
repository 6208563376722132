// SPDX-License-Identifier: Apache-2.0

import { createRouterTransport } from "@connectrpc/connect";
import {
  BatchAction,
  BatchService,
  BatchStatus,
  InstanceStatus,
  toTimestamp,
} from "@pawl/protocol";
import { expect, test } from "vitest";
import { createClient } from "./client.js";

const batch = {
  batchId: "b-1",
  action: BatchAction.TERMINATE,
  filter: { workflow: "order", createdFrom: toTimestamp(5), statuses: [InstanceStatus.RUNNING] },
  status: BatchStatus.COMPLETED,
  createdAt: toTimestamp(1000),
  completedAt: toTimestamp(2000),
  matchedCount: 3,
  doneCount: 2,
  failedCount: 1,
  purgedCount: 4,
  errors: [{ instanceId: "x", code: "INSTANCE_DAMAGED", message: "damaged" }],
};

const record = {
  ...batch,
  action: "terminate",
  status: "completed",
  filter: { workflow: "order", createdFrom: 5, statuses: ["running"] },
  createdAt: 1000,
  completedAt: 2000,
};

test("a batch is started, read, awaited and cancelled as it was asked for", async () => {
  const requests: unknown[] = [];
  const answer = (request: unknown) => {
    requests.push(request);
    return { batch };
  };
  const transport = createRouterTransport(({ service }) =>
    service(BatchService, {
      startBatch: answer,
      getBatch: answer,
      cancelBatch: answer,
      listBatches: () => ({ batches: [batch] }),
    }),
  );
  const client = createClient({ transport });
  const filter = { workflow: "order", createdFrom: 5, statuses: ["running"] } as const;
  const options = { filter, batchId: "b-1", output: { n: 1 }, recursive: false };
  const handle = await client.startBatch("terminate", options);
  expect(handle.batchId).toBe("b-1");
  expect(await handle.get()).toEqual(record);
  expect(await handle.result()).toEqual(record);
  expect(await handle.cancel()).toEqual(record);
  expect(await client.batches()).toEqual([record]);
  expect(requests).toMatchObject([
    { action: BatchAction.TERMINATE, batchId: "b-1", output: '{"n":1}', recursive: false },
    { batchId: "b-1", waitForEnd: false },
    { batchId: "b-1", waitForEnd: true },
    { batchId: "b-1" },
  ]);
});

test.each([
  ["half an event id", { filter: { workflow: "w" }, eventId: 1.5 }, /event_id .*1\.5/],
  ["no time", { filter: { createdBefore: Number.NaN } }, /cannot encode NaN as a time/],
])("a batch with %s is refused before it is sent", async (_what, command, message) => {
  const transport = createRouterTransport(({ service }) =>
    service(BatchService, { startBatch: () => ({ batch }) }),
  );
  const refused = createClient({ transport }).startBatch("rerun", command);
  await expect(refused).rejects.toMatchObject({
    name: "PawlError",
    code: "INVALID_ARGUMENT",
    message: expect.stringMatching(message),
  });
});
