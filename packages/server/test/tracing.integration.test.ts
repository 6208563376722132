// SPDX-License-Identifier: Apache-2.0

import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { openEngine } from "@pawl/engine";
import { Dapr, TaskHubSidecarService, WorkflowService } from "@pawl/protocol";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openOtlpExport, type PawlServer, type ServerLogger } from "../src/index.js";
import { OtlpReceiver } from "./otlp-receiver.js";
import { completed, scheduled, startWorker } from "./task-hub-worker.js";
import { rest, startServer } from "./test-server.js";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const traceParent = `00-${traceId}-${spanId}-01`;
const headers = { traceparent: traceParent };
const binaryTrace = Buffer.from(`0000${traceId}01${spanId}0201`, "hex").toString("base64");

let receiver: OtlpReceiver;
let otlpEndpoint: string;

beforeEach(async () => {
  receiver = new OtlpReceiver();
  otlpEndpoint = await receiver.open();
});

afterEach(() => {
  receiver.close();
  vi.unstubAllEnvs();
});

describe("spans over OTLP", () => {
  test("are those of Dapr, and all have come when the server has closed", async () => {
    const server = await startServer({ otlpEndpoint, appId: "shop" });
    let workerTrace = "";
    startWorker(server, {
      turn: ({ pastEvents }) => [
        pastEvents.length === 0 ? scheduled(0, "charge", '"secret"') : completed('"secret"'),
      ],
      activity: ({ parentTraceContext }) => {
        workerTrace = parentTraceContext?.traceParent ?? "";
        return '"secret"';
      },
    });
    await rest(
      server,
      "POST",
      "/v1.0/workflows/dapr/order/start?instanceID=a",
      '"secret"',
      headers,
    );
    await server.engine.waitForCompletion("a");
    await server.close();
    const [create, activity, workflow] = [
      await receiver.span("create_orchestration||order"),
      await receiver.span("activity||charge"),
      await receiver.span("orchestration||order"),
    ];
    expect(receiver.spans).toHaveLength(3);
    expect(create).toMatchObject({ kind: 3, traceId, parentSpanId: spanId });
    expect(workflow).toMatchObject({ kind: 2, traceId, parentSpanId: create.spanId });
    expect(activity).toMatchObject({ kind: 2, traceId, parentSpanId: workflow.spanId });
    expect(workerTrace).toBe(`00-${traceId}-${activity.spanId}-01`);
    expect(workflow.attributes).toEqual({
      "durabletask.type": "orchestration",
      "durabletask.task.name": "order",
      "durabletask.task.instance_id": "a",
      "durabletask.runtime_status": "COMPLETED",
    });
    expect(activity.attributes["durabletask.task.task_id"]).toBe(0);
    expect(workflow).toMatchObject({ service: "shop", scope: "durabletask", statusCode: 0 });
    expect(JSON.stringify(receiver.spans)).not.toContain("secret");
  });

  test("say that a workflow failed, what it was told, and its patches", async () => {
    const tracing = await openOtlpExport({ endpoint: otlpEndpoint });
    tracing.tracing.emit({
      name: "orchestration||order",
      kind: "server",
      traceId,
      spanId,
      traceState: "a=b",
      startAt: 1_000.5,
      endAt: 2_000,
      attributes: { applied_patches: ["one", "two"] },
      events: [{ name: "Received external event", at: 1_500, attributes: { size: 4 } }],
      error: "no stock",
    });
    await tracing.close();
    expect(receiver.spans).toMatchObject([
      {
        parentSpanId: "",
        statusCode: 2,
        attributes: { applied_patches: ["one", "two"] },
        events: ["Received external event"],
        service: "pawl",
      },
    ]);
  });

  test("that nobody takes are a line in the log, and hold nothing up", async () => {
    receiver.status = 400;
    const warnings: unknown[] = [];
    const logger = { ...silent, warn: (facts: unknown) => warnings.push(facts) };
    const server = await startServer({ otlpEndpoint, logger });
    await server.engine.start({ workflow: "w" });
    await server.close();
    expect(warnings).toEqual([{ spans: 1, reason: expect.any(String) }]);
  });

  test("go nowhere but to a URL, and in shares that are some", async () => {
    await expect(startServer({ otlpEndpoint: "nowhere" })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    const traceRatio = Number.NaN;
    await expect(startServer({ otlpEndpoint, traceRatio })).rejects.toThrow("from 0 to 1");
  });
});

const silent: ServerLogger = { debug() {}, info() {}, warn() {}, error() {} };

describe("the trace of a caller is taken up over", () => {
  type Start = (server: PawlServer) => Promise<unknown>;
  const instanceId = "a";
  const grpc = (server: PawlServer) => createGrpcTransport({ baseUrl: server.url });
  const connect = (server: PawlServer) =>
    createConnectTransport({ baseUrl: server.url, httpVersion: "1.1" });
  const starts: Record<string, Start> = {
    "REST, as shipped": (server) =>
      rest(server, "POST", "/v1.0/workflows/dapr/w/start?instanceID=a", "", headers),
    "REST, the early form": (server) =>
      rest(server, "POST", "/v1.0/workflows/w/a/start", "", headers),
    "Pawl's service, headers": (server) =>
      createClient(WorkflowService, connect(server)).startInstance(
        { workflow: "w", instanceId },
        { headers },
      ),
    "Pawl's service, message": (server) =>
      createClient(WorkflowService, grpc(server)).startInstance({
        workflow: "w",
        instanceId,
        traceParent,
      }),
    "Dapr's service, metadata": (server) =>
      createClient(Dapr, grpc(server)).startWorkflowBeta1(
        { workflowName: "w", instanceId, workflowComponent: "dapr" },
        { headers },
      ),
    "Dapr's service, gRPC's binary metadata": (server) =>
      createClient(Dapr, grpc(server)).startWorkflowBeta1(
        { workflowName: "w", instanceId, workflowComponent: "dapr" },
        { headers: { "grpc-trace-bin": binaryTrace } },
      ),
    "the sidecar service, metadata": (server) =>
      createClient(TaskHubSidecarService, grpc(server)).startInstance(
        { name: "w", instanceId, scheduledStartTimestamp: { seconds: 0n } },
        { headers },
      ),
    "the sidecar service, message": (server) =>
      createClient(TaskHubSidecarService, grpc(server)).startInstance({
        name: "w",
        instanceId,
        scheduledStartTimestamp: { seconds: 0n },
        parentTraceContext: { traceParent: traceId, spanID: spanId },
      }),
  };

  test.each(Object.entries(starts))(
    "%s, and given on though no spans are made",
    async (_way, start) => {
      const server = await startServer();
      let workerTrace = "";
      startWorker(server, {
        turn: ({ pastEvents }) => [
          pastEvents.length === 0 ? scheduled(0, "x", "1") : completed("1"),
        ],
        activity: ({ parentTraceContext }) => {
          workerTrace = parentTraceContext?.traceParent ?? "";
          return "1";
        },
      });
      await start(server);
      await server.engine.waitForCompletion("a");
      expect(workerTrace).toBe(traceParent);
      expect(receiver.spans).toEqual([]);
    },
  );
});

test("an engine that is embedded sends spans by the same export", async () => {
  const tracing = await openOtlpExport({ endpoint: otlpEndpoint, serviceName: "inside" });
  const engine = await openEngine({ store: "memory", tracing: tracing.tracing });
  await engine.start({ workflow: "w", instanceId: "a" });
  await engine.close();
  await tracing.close();
  expect(await receiver.span("create_orchestration||w")).toMatchObject({ service: "inside" });
});
