// SPDX-License-Identifier: Apache-2.0

// A slip of the pen in a filter must not let more instances through than were meant.

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  BatchAction,
  BatchService,
  StartBatchRequestSchema,
  TextComparisonSchema,
} from "@pawl/protocol";
import { expect, test } from "vitest";
import type { PawlServer } from "../src/index.js";
import { rest, startServer } from "./test-server.js";

function post(server: PawlServer, method: string, request: unknown) {
  const headers = { "content-type": "application/json" };
  return rest(server, "POST", `/pawl.v1.${method}`, JSON.stringify(request), headers);
}

const action = "BATCH_ACTION_TERMINATE";

test.each([
  ["BatchService/StartBatch", { action, filter: { workflow: "w", status: [] } }, '"status"'],
  [
    "BatchService/StartBatch",
    { action, filter: { workflow: "w", statuses: ["FAILED"] } },
    "FAILED",
  ],
  [
    "BatchService/StartBatch",
    { action, filter: { workflow: "w", statuses: ["INSTANCE_STATUS_UNSPECIFIED"] } },
    "not specified",
  ],
  ["BatchService/StartBatch", { action: "TERMINATE", allInstances: true }, "TERMINATE"],
  ["WorkflowService/ListInstances", { name: "w" }, '"name"'],
  ["WorkflowService/StartInstance", { workflow: "w", instanceID: "a" }, '"instanceID"'],
])("%s in JSON refuses %j", async (method, request, named) => {
  const server = await startServer();
  await server.engine.start({ workflow: "w", instanceId: "open" });
  const { status, json } = await post(server, method, request);
  expect([status, json]).toMatchObject([
    400,
    { code: "invalid_argument", message: expect.stringContaining(named) },
  ]);
  const { instances } = await server.engine.list();
  expect(instances).toMatchObject([{ instanceId: "open", status: "pending" }]);
  expect(await server.engine.listBatches()).toEqual([]);
});

test("a batch is refused with fields that the server does not know", async () => {
  const server = await startServer();
  await server.engine.start({ workflow: "w", instanceId: "open" });
  const batches = createClient(BatchService, createGrpcTransport({ baseUrl: server.url }));
  const known = { action: BatchAction.TERMINATE, filter: { workflow: "w" } };
  const later = new BinaryWriter().tag(99, 0).uint32(1).finish();

  const plain = toBinary(StartBatchRequestSchema, create(StartBatchRequestSchema, known));
  const request = fromBinary(StartBatchRequestSchema, Buffer.concat([plain, later]));
  await expect(batches.startBatch(request)).rejects.toThrow(/not know: .*StartBatchRequest 99$/);

  const value = fromBinary(TextComparisonSchema, later);
  const filter = { where: { condition: { case: "text" as const, value } } };
  await expect(batches.startBatch({ ...known, filter })).rejects.toThrow(
    /not know: .*TextComparison 99$/,
  );
  expect(await server.engine.listBatches()).toEqual([]);
});
