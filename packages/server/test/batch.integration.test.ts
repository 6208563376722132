// SPDX-License-Identifier: Apache-2.0

import { createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import {
  BatchAction,
  BatchService,
  BatchStatus,
  ComparisonOperator,
  InstanceStatus,
  TimeField,
} from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { rest, startServer } from "./test-server.js";

const protocols: [string, (baseUrl: string) => Transport][] = [
  ["Connect JSON", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1" })],
  ["gRPC", (baseUrl) => createGrpcTransport({ baseUrl })],
  ["gRPC-Web", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
];

describe.each(protocols)("BatchService over %s", (_, transportOf) => {
  test("starts a batch, waits for it, and tells what it did", async () => {
    const server = await startServer();
    const client = createClient(BatchService, transportOf(server.url));
    for (const instanceId of ["a", "b"]) {
      await server.engine.start({ workflow: "order", instanceId, tags: { team: "blue" } });
    }
    await server.engine.start({ workflow: "order", instanceId: "c" });
    const filter = { tags: { team: "blue" }, statuses: [InstanceStatus.PENDING] };
    const request = { action: BatchAction.TERMINATE, filter, batchId: "b-1", output: '"x"' };
    const { batch } = await client.startBatch(request);
    expect(batch).toMatchObject({ batchId: "b-1", action: BatchAction.TERMINATE, filter });

    const ended = (await client.getBatch({ batchId: "b-1", waitForEnd: true })).batch;
    expect(ended).toMatchObject({
      status: BatchStatus.COMPLETED,
      matchedCount: 2,
      doneCount: 2,
      failedCount: 0,
    });
    expect((await server.engine.get("b"))?.output).toBe('"x"');
    expect((await server.engine.get("c"))?.status).toBe("pending");
    expect((await client.listBatches({})).batches).toEqual([ended]);
    expect((await client.cancelBatch({ batchId: "b-1" })).batch).toEqual(ended);
  });

  test("refuses what is no batch", async () => {
    const client = createClient(BatchService, transportOf((await startServer()).url));
    const codes = await Promise.all(
      [
        client.getBatch({ batchId: "x" }),
        client.cancelBatch({ batchId: "x" }),
        client.startBatch({ action: BatchAction.PURGE }),
        client.startBatch({ filter: { workflow: "w" } }),
      ].map((call) => call.then(undefined, (error: unknown) => String(error))),
    );
    expect(codes).toEqual([
      expect.stringContaining("[not_found]"),
      expect.stringContaining("[not_found]"),
      expect.stringContaining("[invalid_argument]"),
      expect.stringContaining("[invalid_argument]"),
    ]);
  });
});

test("a batch whose filter has instants that no calendar has is told of in JSON", async () => {
  const server = await startServer();
  const client = createClient(BatchService, createGrpcTransport({ baseUrl: server.url }));
  const filter = {
    createdFrom: { seconds: -(2n ** 63n) },
    updatedBefore: { seconds: 2n ** 63n - 1n },
    where: {
      condition: {
        case: "time" as const,
        value: {
          field: TimeField.CREATED_AT,
          operator: ComparisonOperator.LESS,
          values: [{ seconds: 2n ** 62n }],
        },
      },
    },
  };
  await server.engine.start({ workflow: "order", instanceId: "a" });
  await client.startBatch({ action: BatchAction.TERMINATE, filter, batchId: "b" });
  const { batch } = await client.getBatch({ batchId: "b", waitForEnd: true });
  expect(batch).toMatchObject({ status: BatchStatus.COMPLETED, doneCount: 1 });
  const headers = { "content-type": "application/json" };
  const { json } = await rest(server, "POST", "/pawl.v1.BatchService/ListBatches", "{}", headers);
  expect(json).toMatchObject({
    batches: [
      {
        filter: {
          createdFrom: "0001-01-01T00:00:00Z",
          updatedBefore: "9999-12-31T23:59:59.999999999Z",
          where: { time: { values: ["9999-12-31T23:59:59.999999999Z"] } },
        },
      },
    ],
  });
});

test("an id that no batch can have is said to be the batch's", async () => {
  const server = await startServer();
  const client = createClient(BatchService, createGrpcTransport({ baseUrl: server.url }));
  const filter = { workflow: "order" };
  const refused = client.startBatch({ action: BatchAction.PURGE, filter, batchId: "a\nb" });
  await expect(refused).rejects.toThrow(/the id of a batch .*control characters/);
});
