// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "@pawl/engine";
import { type ErrorCode, limits } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import type { ServedEngine } from "../src/index.js";
import { fakeEngine, fakeInstance } from "./fake-engine.js";
import { rest, startServer } from "./test-server.js";

const prefixes = ["/v1.0", "/v1.0-beta1", "/v1.0-alpha1"];

/** An engine whose every command fails with `code`. */
function failingEngine(code: ErrorCode): ServedEngine {
  const fail = async (): Promise<never> => {
    throw new EngineError(code, `because of ${code}`);
  };
  return fakeEngine({
    start: fail,
    get: fail,
    raiseEvent: fail,
    suspend: fail,
    resume: fail,
    terminate: fail,
    purge: fail,
  });
}

describe.each(prefixes)("%s/workflows", (prefix) => {
  test("starts an instance with the body as its input", async () => {
    const started: unknown[] = [];
    const engine = fakeEngine({
      async start(command) {
        started.push(command);
        return { instanceId: "order-1", executionId: "e-1" };
      },
    });
    const server = await startServer({ engine });

    const answer = await rest(
      server,
      "POST",
      `${prefix}/workflows/dapr/order/start?instanceID=order-1`,
      '{"total": 1}',
    );

    expect(answer.status).toBe(202);
    expect(answer.json).toEqual({ instanceID: "order-1" });
    expect(answer.headers).toMatchObject({
      location: `${prefix}/workflows/dapr/order-1`,
      "retry-after": "1",
      "content-type": "application/json",
    });
    expect(started).toEqual([{ workflow: "order", instanceId: "order-1", input: '{"total": 1}' }]);
  });

  test("starts an instance without an id and body", async () => {
    const started: unknown[] = [];
    const engine = fakeEngine({
      async start(command) {
        started.push(command);
        return { instanceId: "made", executionId: "e-1" };
      },
    });
    const server = await startServer({ engine });

    const answer = await rest(server, "POST", `${prefix}/workflows/dapr/order/start`);

    expect(answer.json).toEqual({ instanceID: "made" });
    expect(started).toEqual([{ workflow: "order", input: "" }]);
  });

  test("reads an instance", async () => {
    const instance = fakeInstance({ status: "completed", input: '"in"', output: '"out"' });
    const server = await startServer({ engine: fakeEngine({ get: async () => instance }) });

    const answer = await rest(server, "GET", `${prefix}/workflows/dapr/a`);

    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      instanceID: "a",
      workflowName: "order",
      createdAt: "2023-11-14T22:13:20Z",
      lastUpdatedAt: "2023-11-14T22:13:20.120Z",
      runtimeStatus: "COMPLETED",
      properties: { "dapr.workflow.input": '"in"', "dapr.workflow.output": '"out"' },
    });
  });

  test("raises an event with the body as its payload", async () => {
    const raised: unknown[] = [];
    const engine = fakeEngine({
      async raiseEvent(...event) {
        raised.push(event);
      },
    });
    const server = await startServer({ engine });

    const answer = await rest(
      server,
      "POST",
      `${prefix}/workflows/dapr/a%3A0001/raiseEvent/went+out`,
      "7",
    );

    expect(answer).toMatchObject({ status: 202, json: {} });
    expect(raised).toEqual([["a:0001", "went out", "7"]]);
  });

  test.each([
    ["terminate", "terminate"],
    ["pause", "suspend"],
    ["resume", "resume"],
    ["purge", "purge"],
  ] as const)("%ss an instance", async (path, method) => {
    const called: unknown[] = [];
    const engine = fakeEngine({
      [method]: async (instanceId: string) => {
        called.push(instanceId);
        return 1;
      },
    });
    const server = await startServer({ engine });

    const answer = await rest(server, "POST", `${prefix}/workflows/dapr/a/${path}`);

    expect(answer).toMatchObject({ status: 202, json: {} });
    expect(called).toEqual(["a"]);
  });
});

describe("an unknown instance", () => {
  const notFound = {
    errorCode: "ERR_INSTANCE_ID_NOT_FOUND",
    message: "unable to find workflow with the provided instance ID: a",
  };

  test.each([
    ["GET", "/v1.0/workflows/dapr/a", 404, notFound],
    ["POST", "/v1.0/workflows/dapr/a/terminate", 404, notFound],
    ["POST", "/v1.0/workflows/dapr/a/purge", 404, notFound],
    [
      "POST",
      "/v1.0/workflows/dapr/a/pause",
      500,
      {
        errorCode: "ERR_PAUSE_WORKFLOW",
        message:
          "error pausing workflow a: failed to pause workflow a: failed to suspend workflow: no such instance exists",
      },
    ],
    [
      "POST",
      "/v1.0/workflows/dapr/a/resume",
      500,
      {
        errorCode: "ERR_RESUME_WORKFLOW",
        message:
          "error resuming workflow a: failed to resume workflow a: failed to resume workflow: no such instance exists",
      },
    ],
    [
      "POST",
      "/v1.0/workflows/dapr/a/raiseEvent/e",
      500,
      {
        errorCode: "ERR_RAISE_EVENT_WORKFLOW",
        message:
          "error raising event on workflow 'a': failed to raise event e on workflow a: failed to raise event: no such instance exists",
      },
    ],
  ])("%s %s answers %i", async (method, path, status, body) => {
    const engine = { ...failingEngine("INSTANCE_NOT_FOUND"), get: async () => undefined };
    const server = await startServer({ engine });

    expect(await rest(server, method, path)).toMatchObject({ status, json: body });
  });
});

describe("a refused command", () => {
  test.each([
    [
      "INSTANCE_EXISTS",
      "order/start?instanceID=a",
      500,
      "ERR_START_WORKFLOW",
      "rpc error: code = AlreadyExists desc = because of INSTANCE_EXISTS",
    ],
    [
      "INSTANCE_NOT_ENDED",
      "a/purge",
      500,
      "ERR_PURGE_WORKFLOW",
      "orchestration has not yet completed",
    ],
    ["SHUTTING_DOWN", "a/terminate", 503, "ERR_TERMINATE_WORKFLOW", "because of SHUTTING_DOWN"],
    [
      "RESOURCE_EXHAUSTED",
      "order/start",
      429,
      "ERR_START_WORKFLOW",
      "because of RESOURCE_EXHAUSTED",
    ],
    ["PAYLOAD_TOO_LARGE", "order/start", 400, "ERR_START_WORKFLOW", "because of PAYLOAD_TOO_LARGE"],
    ["INTERNAL", "a/pause", 500, "ERR_PAUSE_WORKFLOW", "internal error"],
  ] as const)("%s on %s answers %i %s", async (code, path, status, errorCode, cause) => {
    const server = await startServer({ engine: failingEngine(code) });

    const answer = await rest(server, "POST", `/v1.0/workflows/dapr/${path}`);

    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ errorCode, message: expect.stringContaining(cause) });
  });
});

describe("a bad request", () => {
  const start = "/v1.0/workflows/dapr/order/start";

  test.each([
    ["an id too long", `${start}?instanceID=${"x".repeat(65)}`, "ERR_INSTANCE_ID_TOO_LONG"],
    ["an id with a forbidden character", `${start}?instanceID=a.b`, "ERR_INSTANCE_ID_INVALID"],
    ["a bad app id", `${start}?appID=a.b`, "ERR_WORKFLOW_APP_ID_INVALID"],
    ["an id before an app id", `${start}?appID=.&instanceID=.`, "ERR_INSTANCE_ID_INVALID"],
  ])("%s answers 400 %s", async (_name, path, errorCode) => {
    const server = await startServer({ engine: fakeEngine() });

    expect(await rest(server, "POST", path)).toMatchObject({ status: 400, json: { errorCode } });
  });

  test("letters of every script make a good id", async () => {
    const engine = fakeEngine({
      start: async ({ instanceId = "" }) => ({ instanceId, executionId: "e" }),
    });
    const server = await startServer({ engine });

    const answer = await rest(server, "POST", `${start}?instanceID=%C3%A4_-%E8%8B%B12`);

    expect(answer.json).toEqual({ instanceID: "ä_-英2" });
    expect(answer.headers.location).toBe("/v1.0/workflows/dapr/%C3%A4_-%E8%8B%B12");
  });

  test("a body that should be JSON and is not answers 400 ERR_MALFORMED_REQUEST", async () => {
    const server = await startServer({ engine: fakeEngine() });

    const answer = await rest(server, "POST", "/v1.0/workflows/dapr/a/terminate", "{");

    expect(answer).toMatchObject({ status: 400, json: { errorCode: "ERR_MALFORMED_REQUEST" } });
  });

  test("a body over the limit answers 400 ERR_BODY_READ", async () => {
    const server = await startServer({ engine: fakeEngine() });

    const answer = await rest(server, "POST", start, Buffer.alloc(limits.requestBytes + 1, "1"));

    expect(answer).toMatchObject({ status: 400, json: { errorCode: "ERR_BODY_READ" } });
  });

  test.each([
    [start, "ERR_START_WORKFLOW"],
    ["/v1.0/workflows/dapr/a/raiseEvent/e", "ERR_RAISE_EVENT_WORKFLOW"],
  ])("a payload on %s that is not UTF-8 answers 500 %s", async (path, errorCode) => {
    const server = await startServer({ engine: fakeEngine() });

    const answer = await rest(server, "POST", path, Buffer.from([0xff, 0xfe]));

    expect(answer).toMatchObject({ status: 500, json: { errorCode } });
    expect(answer.text).toContain("not valid UTF-8");
  });

  test("a bad escape in the path answers 400 in plain text", async () => {
    const server = await startServer({ engine: fakeEngine() });

    const answer = await rest(server, "GET", "/v1.0/workflows/dapr/a%zz");

    expect(answer.status).toBe(400);
    expect(answer.headers["content-type"]).toContain("text/plain");
    expect(answer.text).toContain('failed to unescape request parameter "instanceID"');
  });

  test("a query with a stray semicolon is dropped", async () => {
    const engine = fakeEngine({
      start: async ({ instanceId = "made" }) => ({ instanceId, executionId: "e" }),
    });
    const server = await startServer({ engine });

    const answer = await rest(server, "POST", `${start}?instanceID=a;b`);

    expect(answer.json).toEqual({ instanceID: "made" });
  });
});

describe("a path that there is not", () => {
  test.each([
    ["GET", "/"],
    ["GET", "/v1.0/workflows/dapr/order/start"],
    ["DELETE", "/v1.0/workflows/dapr/a"],
    ["OPTIONS", "/v1.0/workflows/dapr/a"],
    ["POST", "/v2.0/workflows/dapr/a/pause"],
    ["GET", "/v1.0-alpha1/healthz"],
  ])("%s %s answers 404 ERR_DIRECT_INVOKE", async (method, path) => {
    const server = await startServer({ engine: fakeEngine() });

    expect(await rest(server, method, path)).toMatchObject({
      status: 404,
      json: { errorCode: "ERR_DIRECT_INVOKE" },
    });
  });

  test("HEAD answers 404 without a body", async () => {
    const server = await startServer({ engine: fakeEngine() });

    const answer = await rest(server, "HEAD", "/v1.0/workflows/dapr/a");

    expect(answer).toMatchObject({ status: 404, text: "" });
  });
});

describe("health and metadata", () => {
  test("are good when the engine is ready", async () => {
    const server = await startServer({ engine: fakeEngine() });

    expect(await rest(server, "GET", "/v1.0/healthz")).toMatchObject({ status: 204, text: "" });
    expect(await rest(server, "GET", "/v1.0/healthz/outbound")).toMatchObject({ status: 204 });
  });

  test("are bad when it is not", async () => {
    const server = await startServer({ engine: fakeEngine({ isReady: () => false }) });

    expect(await rest(server, "GET", "/v1.0/healthz")).toMatchObject({
      status: 500,
      json: { errorCode: "ERR_HEALTH_NOT_READY" },
    });
    expect(await rest(server, "GET", "/v1.0/healthz/outbound")).toMatchObject({
      status: 500,
      json: { errorCode: "ERR_OUTBOUND_HEALTH_NOT_READY" },
    });
  });

  test("know their own app id", async () => {
    const server = await startServer({ engine: fakeEngine() });

    expect(await rest(server, "GET", "/v1.0/healthz?appid=pawl")).toMatchObject({ status: 204 });
    expect(await rest(server, "GET", "/v1.0/healthz?appid=x")).toMatchObject({
      status: 500,
      json: { errorCode: "ERR_HEALTH_APPID_NOT_MATCH" },
    });
  });

  test("keep entries and count workers", async () => {
    const server = await startServer({ engine: fakeEngine({ workerCount: () => 2 }) });

    const set = await rest(server, "PUT", "/v1.0/metadata/team", "orders");
    const answer = await rest(server, "GET", "/v1.0/metadata");

    expect(set.status).toBe(204);
    expect(answer.json).toMatchObject({
      id: "pawl",
      extended: { team: "orders", daprRuntimeVersion: expect.any(String) },
      workflows: { connectedWorkers: 2 },
    });
  });
});
