// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@pawl/client";
import { createServer, type PawlServer } from "@pawl/server";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { order, shipped } from "./order.js";
import { createOrderWorker } from "./order-worker.js";

const book = { item: "book", quantity: 1, amountCents: 1200 };

let dataDir: string;
let server: PawlServer;
let client: ReturnType<typeof createClient>;
let worker: ReturnType<typeof createOrderWorker>;

beforeAll(async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  dataDir = await mkdtemp(join(tmpdir(), "pawl-order-"));
  server = await createServer({ port: 0, dataDir });
  client = createClient({ baseUrl: server.url });
  worker = createOrderWorker({ baseUrl: server.url });
  await worker.start();
});

afterAll(async () => {
  await worker.stop();
  client.close();
  await server.close();
  await rm(dataDir, { recursive: true });
});

describe("the order worker, over a socket", () => {
  test("runs an order for a server", async () => {
    const handle = await client.start(order, book);
    await handle.raiseEvent(shipped, { carrier: "post" });
    expect(await handle.result()).toEqual({ status: "confirmed", carrier: "post" });
    expect((await handle.history()).at(-1)?.eventType.case).toBe("executionCompleted");
  });

  test("runs many orders at once", async () => {
    const handles = await Promise.all(
      Array.from({ length: 100 }, () => client.start(order, { ...book, amountCents: 200_000 })),
    );
    const results = await Promise.all(handles.map((handle) => handle.result()));
    expect(results.every(({ status }) => status === "cancelled")).toBe(true);
    const ended: string[] = [];
    for await (const each of client.list({ statuses: ["completed"], pageSize: 30 })) {
      ended.push(each.instanceId);
    }
    expect(ended).toHaveLength(101);
  });

  test("goes on when the server comes back", async () => {
    const handle = await client.start(order, book);
    await handle.waitForStart();
    const { port } = server;
    await server.close();
    server = await createServer({ port, grpcPort: 0, dataDir });
    await handle.raiseEvent(shipped, { carrier: "post" });
    expect(await handle.result()).toEqual({ status: "confirmed", carrier: "post" });
  });

  test("errors have the server's codes", async () => {
    await client.start(order, book, { instanceId: "twice" });
    await expect(client.start(order, book, { instanceId: "twice" })).rejects.toMatchObject({
      code: "INSTANCE_EXISTS",
      details: { instanceId: "twice" },
    });
    await expect(client.raiseEvent("nobody", shipped, { carrier: "" })).rejects.toMatchObject({
      code: "INSTANCE_NOT_FOUND",
    });
    await expect(client.waitForCompletion("twice", { timeoutMs: 5 })).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
    });
  });
});
