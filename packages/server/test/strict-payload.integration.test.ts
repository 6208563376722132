// SPDX-License-Identifier: Apache-2.0

// Payloads between Pawl's limit and Dapr's with --strict-dapr: accepted, and their instances stall.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Dapr, limits, OrchestrationStatus } from "@pawl/protocol";
import type { WorkflowRequest } from "@pawl/protocol/task-hub";
import { expect, onTestFinished, test } from "vitest";
import type { PawlServer } from "../src/index.js";
import { completed, startWorker, taskHubClient } from "./task-hub-worker.js";
import { rest, startServer } from "./test-server.js";

const workflows = "/v1.0/workflows/dapr";
/** As large a payload as a request of Dapr's holds. */
const most = Buffer.alloc(limits.requestBytes + 1, "1");

/** Ends with the first event, or at once. */
function turn({ newEvents, pastEvents }: WorkflowRequest) {
  const events = [...pastEvents, ...newEvents].map(({ eventType }) => eventType);
  const started = events.find(({ case: kind }) => kind === "executionStarted");
  const waits = started?.case === "executionStarted" && started.value.name === "waits";
  const isRaised = events.some(({ case: kind }) => kind === "eventRaised");
  return waits && !isRaised ? [] : [completed('"done"')];
}

const post = (server: PawlServer, path: string, body: Buffer | string = "") =>
  rest(server, "POST", `${workflows}/${path}`, body);

const statusOf = async (server: PawlServer, id: string) =>
  (await rest(server, "GET", `${workflows}/${id}`)).json;

test("a payload as large as a request stalls its instance, and no other", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "pawl-strict-"));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const options = { strictDapr: true, store: "level", dataDir } as const;
  const server = await startServer(options);
  startWorker(server, { turn });
  await expect.poll(() => server.engine.workerCount(), { timeout: 20_000 }).toBe(1);
  const stalls = (at: PawlServer, id: string) =>
    at.engine.waitUntil(id, ({ status }) => status === "stalled", { payloads: false });

  expect(await post(server, "order/start?instanceID=a", most)).toMatchObject({ status: 202 });
  expect(await post(server, "waits/start?instanceID=b")).toMatchObject({ status: 202 });
  await server.engine.waitForStart("b");
  expect(await post(server, "b/raiseEvent/e", most)).toMatchObject({ status: 202 });
  expect(await post(server, "order/start?instanceID=c", "1")).toMatchObject({ status: 202 });

  await server.engine.waitForCompletion("c");
  for (const id of ["a", "b"]) {
    expect(await stalls(server, id)).toMatchObject({ stallCode: "PAYLOAD_SIZE_EXCEEDED" });
    expect(await statusOf(server, id)).toMatchObject({ runtimeStatus: "UNKNOWN" });
  }
  // Dapr reads the facts from the history, in which there is no turn yet.
  expect(await statusOf(server, "a")).not.toHaveProperty("properties");
  expect(await statusOf(server, "b")).toMatchObject({ workflowName: "waits" });
  expect(await post(server, "b/raiseEvent/e", "1")).toMatchObject({
    status: 500,
    json: { message: expect.stringMatching(/workflow is stalled$/) },
  });
  await server.close();

  const again = await startServer(options);
  const hub = taskHubClient(again);
  expect(await statusOf(again, "b")).toMatchObject({ runtimeStatus: "UNKNOWN" });
  await hub.purgeInstances({ request: { case: "instanceId", value: "a" }, force: true });
  expect(await again.engine.get("a")).toBeUndefined();
  startWorker(again, { turn });
  expect(await post(again, "order/start?instanceID=a", "1")).toMatchObject({ status: 202 });
  expect((await again.engine.waitForCompletion("a")).status).toBe("completed");
});

test("the same holds over gRPC, as far as a message goes", async () => {
  const server = await startServer({ strictDapr: true });
  const dapr = createClient(Dapr, createGrpcTransport({ baseUrl: server.url }));
  startWorker(server, { turn });
  await dapr.startWorkflowBeta1({
    ...{ instanceId: "a", workflowName: "order" },
    input: most.subarray(0, limits.requestBytes - 1_000),
  });
  await server.engine.waitUntil("a", ({ status }) => status === "stalled");
  const { workflowState } = await taskHubClient(server).getInstance({ instanceId: "a" });
  expect(workflowState?.workflowStatus).toBe(OrchestrationStatus.STALLED);
});
