// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { Code, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import {
  Dapr,
  ErrorDetailSchema,
  Health,
  InstanceStatus,
  limits,
  WorkflowService,
} from "@pawl/protocol";
import { HealthCheckResponse_ServingStatus as ServingStatus } from "@pawl/protocol/grpc";
import { describe, expect, test } from "vitest";
import type { PawlServer } from "../src/index.js";
import { failureOf } from "./call-failure.js";
import { fakeEngine } from "./fake-engine.js";
import { rest, startServer } from "./test-server.js";

type Connect = (server: PawlServer) => Transport;

const protocols: [string, Connect][] = [
  [
    "Connect JSON over HTTP/1.1",
    ({ url }) =>
      createConnectTransport({ baseUrl: url, httpVersion: "1.1", useBinaryFormat: false }),
  ],
  [
    "Connect binary over HTTP/2",
    ({ url }) => createConnectTransport({ baseUrl: url, httpVersion: "2", useBinaryFormat: true }),
  ],
  ["gRPC", ({ url }) => createGrpcTransport({ baseUrl: url })],
  [
    "gRPC-Web over HTTP/1.1",
    ({ url }) => createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1" }),
  ],
  ["gRPC-Web over HTTP/2", ({ url }) => createGrpcWebTransport({ baseUrl: url, httpVersion: "2" })],
];

test("every protocol sees the same instance", async () => {
  const server = await startServer();
  const start = "/v1.0/workflows/dapr/order/start?instanceID=order-1";
  await rest(server, "POST", start, '{"total":1}');

  for (const [name, connect] of protocols) {
    const client = createClient(WorkflowService, connect(server));
    const { instance } = await client.getInstance({ instanceId: "order-1" });
    expect(instance, name).toMatchObject({
      instanceId: "order-1",
      workflow: "order",
      status: InstanceStatus.PENDING,
      input: '{"total":1}',
    });
    await client.raiseEvent({ instanceId: "order-1", name: "seen", input: `"${name}"` });
  }
  const answer = await rest(server, "GET", "/v1.0/workflows/dapr/order-1");
  expect(answer.json).toMatchObject({ instanceID: "order-1", runtimeStatus: "PENDING" });
});

describe.each(protocols)("%s", (_name, connect) => {
  test("answers a failure with its code and facts", async () => {
    const client = createClient(WorkflowService, connect(await startServer()));

    const error = await failureOf(client.getInstance({ instanceId: "a" }));

    expect(error.code).toBe(Code.NotFound);
    expect(error.findDetails(ErrorDetailSchema)).toMatchObject([
      { code: "INSTANCE_NOT_FOUND", facts: { instanceId: "a" } },
    ]);
  });

  test("refuses a request that breaks a rule of its proto file", async () => {
    const client = createClient(WorkflowService, connect(await startServer()));

    const error = await failureOf(client.startInstance({ workflow: "" }));

    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toContain("workflow");
    expect(error.findDetails(ErrorDetailSchema)[0]?.code).toBe("INVALID_ARGUMENT");
  });

  test("refuses a message over the limit", async () => {
    const client = createClient(WorkflowService, connect(await startServer()));

    const input = "1".repeat(limits.requestBytes);
    const error = await failureOf(client.startInstance({ workflow: "w", input }));

    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.findDetails(ErrorDetailSchema)[0]?.code).toBe("PAYLOAD_TOO_LARGE");
  });

  test("keeps the text of an unknown error to itself", async () => {
    const engine = fakeEngine({
      get: async () => {
        throw new TypeError("secret");
      },
    });
    const client = createClient(WorkflowService, connect(await startServer({ engine })));

    const error = await failureOf(client.getInstance({ instanceId: "a" }));

    expect(error.code).toBe(Code.Internal);
    expect(error.rawMessage).not.toContain("secret");
    expect(error.findDetails(ErrorDetailSchema)[0]?.code).toBe("INTERNAL");
  });

  test("ends a wait when the caller's time is up", async () => {
    const client = createClient(WorkflowService, connect(await startServer()));

    const wait = client.waitForInstanceCompletion({ instanceId: "a" }, { timeoutMs: 50 });

    expect((await failureOf(wait)).code).toBe(Code.DeadlineExceeded);
  });

  test("streams the states of a watched instance", async () => {
    const server = await startServer();
    const client = createClient(WorkflowService, connect(server));
    await client.startInstance({ workflow: "w", instanceId: "a" });

    const stop = new AbortController();
    const states = client.watchInstance({ instanceId: "a" }, { signal: stop.signal });
    const iterator = states[Symbol.asyncIterator]();
    const first = await iterator.next();

    expect(first.value?.instance?.status).toBe(InstanceStatus.PENDING);
    stop.abort();
    await iterator.next().catch(() => {});
  });

  test("streams what happens to all instances, and goes on after a token", async () => {
    const server = await startServer();
    const client = createClient(WorkflowService, connect(server));
    const stop = new AbortController();
    const watch = (resumeToken: string) =>
      client
        .watchInstances({ instanceIdPrefix: "f-", resumeToken }, { signal: stop.signal })
        [Symbol.asyncIterator]();
    const feed = watch("");
    const begun = (await feed.next()).value;
    await client.startInstance({ workflow: "w", instanceId: "f-1" });
    await client.startInstance({ workflow: "w", instanceId: "other" });
    await client.purgeInstance({ instanceId: "f-1", force: true });
    await feed.return?.();
    const resumed = watch(begun?.resumeToken ?? "");

    expect(begun?.change.case).toBe("caughtUp");
    expect((await resumed.next()).value?.change).toEqual({
      case: "purgedInstanceId",
      value: "f-1",
    });
    stop.abort();
    await resumed.next().catch(() => {});
  });

  test("tells health", async () => {
    const client = createClient(Health, connect(await startServer()));

    expect(await client.check({})).toMatchObject({ status: ServingStatus.SERVING });
    expect(await client.check({ service: "pawl.v1.WorkflowService" })).toMatchObject({
      status: ServingStatus.SERVING,
    });
    expect((await failureOf(client.check({ service: "x" }))).code).toBe(Code.NotFound);
  });

  test("serves Dapr's own service", async () => {
    const server = await startServer();
    const client = createClient(Dapr, connect(server));
    const input = new TextEncoder().encode("1");

    const { instanceId } = await client.startWorkflowBeta1({
      instanceId: "d-1",
      workflowComponent: "dapr",
      workflowName: "order",
      input,
    });
    await client.raiseEventWorkflowAlpha1({ instanceId, eventName: "e" });
    expect(await client.getWorkflowBeta1({ instanceId })).toMatchObject({
      instanceId: "d-1",
      workflowName: "order",
      runtimeStatus: "PENDING",
      properties: { "dapr.workflow.input": "1" },
    });
    expect(await client.getWorkflowBeta1({ instanceId: "x" })).toMatchObject({
      instanceId: "x",
      runtimeStatus: "",
      properties: {},
    });
    const unknown = await failureOf(client.pauseWorkflowBeta1({ instanceId: "x" }));
    expect(unknown.code).toBe(Code.Internal);
    expect(unknown.rawMessage).toContain("no such instance exists");
    const bad = await failureOf(client.startWorkflowBeta1({ workflowName: "" }));
    expect([bad.code, bad.rawMessage]).toEqual([
      Code.InvalidArgument,
      "workflow name is not configured",
    ]);
    await client.setMetadata({ key: "k", value: "v" });
    expect((await client.getMetadata({})).extendedMetadata).toMatchObject({ k: "v" });
  });
});

describe("a message that is none", () => {
  const path = "/pawl.v1.WorkflowService/GetInstance";
  const garbage = Buffer.from([0xff, 0xff, 0xff]);
  const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, garbage.length]), garbage]);

  test.each([
    ["application/proto", garbage],
    ["application/json", Buffer.from("{")],
    ["application/grpc-web+proto", frame],
  ])("is refused as %s", async (type, body) => {
    const server = await startServer();

    const response = await fetch(`${server.url}${path}`, {
      method: "POST",
      headers: { "content-type": type },
      body,
    });
    const text = await response.text();

    if (type.includes("grpc")) {
      expect(text).toContain(`grpc-status: ${Code.InvalidArgument}`);
      expect(text).toContain("grpc-status-details-bin");
    } else {
      expect(response.status).toBe(400);
      expect(JSON.parse(text)).toMatchObject({
        code: "invalid_argument",
        details: [{ type: "pawl.v1.ErrorDetail", debug: { code: "MALFORMED_REQUEST" } }],
      });
    }
    expect((await rest(server, "GET", "/v1.0/healthz")).status).toBe(204);
  });

  test.each([
    ["/pawl.v1.WorkflowService/GetInstance", Code.InvalidArgument],
    ["/pawl.v1.WorkflowService/None", Code.Unimplemented],
    ["/TaskHubSidecarService/QueryInstances", Code.Unimplemented],
  ])("is refused as gRPC on %s with code %i", async (grpcPath, code) => {
    const server = await startServer();
    const session = connectHttp2(server.url);
    const stream = session.request({
      ":method": "POST",
      ":path": grpcPath,
      "content-type": "application/grpc",
      te: "trailers",
    });
    const seen: Record<string, unknown> = {};
    stream.on("response", (headers) => Object.assign(seen, headers));
    stream.on("trailers", (trailers) => Object.assign(seen, trailers));
    stream.end(frame);
    stream.resume();

    await once(stream, "close");

    expect(seen).toMatchObject({ ":status": 200, "grpc-status": String(code) });
    session.close();
  });

  test("with a Host header that makes no URL is refused and the server stays up", async () => {
    const server = await startServer({ apiToken: "x" });

    const refused = await rest(server, "POST", path, "{}", {
      host: "[",
      "content-type": "application/json",
      "dapr-api-token": "x",
    });

    expect(refused.status).toBe(400);
    expect((await rest(server, "GET", "/v1.0/healthz")).status).toBe(204);
  });
});

describe("a request that is no call", () => {
  const get = "/pawl.v1.WorkflowService/GetInstance";
  const watch = "/pawl.v1.WorkflowService/WatchInstance";
  const start = "/pawl.v1.WorkflowService/StartInstance";
  const json = "application/json";

  test.each([
    ["POST", get, "application/x-www-form-urlencoded", 415, /takes the content-type .*json/],
    ["POST", watch, json, 415, /takes the content-type .*connect\+json .*five bytes/],
    ["PUT", get, json, 405, /is called with POST or GET\n$/],
    ["GET", start, json, 405, /is called with POST\n$/],
    ["POST", "/pawl.v1.WorkerService/Work", json, 505, /needs HTTP\/2/],
  ])("%s %s as %s is answered %i with what to do", async (method, path, type, status, what) => {
    const server = await startServer();
    const body = method === "GET" ? undefined : "{}";
    const answer = await rest(server, method, path, body, { "content-type": type });
    expect([answer.status, answer.headers["content-type"], answer.text]).toEqual([
      status,
      "text/plain; charset=utf-8",
      expect.stringMatching(what),
    ]);
    expect(answer.headers.allow !== undefined).toBe(status === 405);
  });

  test.each([
    "/pawl.v1.WorkflowService/Get",
    "/TaskHubSidecarService/",
    "/grpc.health.v1.Health/x",
  ])("of a method that a service does not have, %s, says so", async (path) => {
    const answer = await rest(await startServer(), "POST", path, "{}", { "content-type": json });
    expect([answer.status, answer.json]).toMatchObject([
      404,
      { code: "unimplemented", message: `unknown method ${path}` },
    ]);
  });
});
