// SPDX-License-Identifier: Apache-2.0

import { createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { BatchAction, BatchService, BatchStatus, InstanceStatus } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { startServer } from "./test-server.js";

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
