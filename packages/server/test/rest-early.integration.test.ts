// SPDX-License-Identifier: Apache-2.0

// The early form of the REST API, on the real engine: paths begin with the workflow's type.

import { create } from "@bufbuild/protobuf";
import {
  limits,
  OrchestrationStatus,
  type WorkflowAction,
  WorkflowActionSchema,
} from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import type { PawlServer } from "../src/index.js";
import { fakeEngine, fakeInstance } from "./fake-engine.js";
import { completed, startWorker } from "./task-hub-worker.js";
import { rest, startServer } from "./test-server.js";

const a = "/v1.0/workflows/order/a";

/** A server with the pending instance "a". */
async function serverWithInstance(): Promise<PawlServer> {
  const server = await startServer();
  await rest(server, "POST", `${a}/start`, "1");
  return server;
}

function ended(status: OrchestrationStatus, message: string): WorkflowAction {
  const failureDetails = { errorType: "Declined", errorMessage: message, stackTrace: "at line 1" };
  return create(WorkflowActionSchema, {
    id: 1000,
    workflowActionType: {
      case: "completeWorkflow",
      value: { workflowStatus: status, failureDetails },
    },
  });
}

describe("start", () => {
  test("takes the payload as the input and tells where the status is", async () => {
    const server = await startServer();

    const answer = await rest(server, "POST", `${a}/start`, '{"item": "book"}');

    expect(answer).toMatchObject({ status: 202, json: { instanceID: "a" } });
    expect(answer.headers).toMatchObject({ location: a, "retry-after": "1" });
    expect(await server.engine.get("a")).toMatchObject({
      workflow: "order",
      input: '{"item": "book"}',
    });
    expect((await rest(server, "GET", a)).status).toBe(200);
  });

  test("has no input without a payload", async () => {
    const server = await startServer();

    await rest(server, "POST", `${a}/start`);

    expect((await server.engine.get("a"))?.input).toBeUndefined();
  });

  test("escapes the location", async () => {
    const answer = await rest(await startServer(), "POST", "/v1.0/workflows/a%2Fb+c/%C3%A4/start");

    expect(answer.headers.location).toBe("/v1.0/workflows/a%2Fb%20c/%C3%A4");
  });

  test("answers 409 while an instance has the id, and 202 once it has ended", async () => {
    const server = await serverWithInstance();

    const refused = await rest(server, "POST", `${a}/start`);
    await server.engine.terminate("a");
    await server.engine.waitForCompletion("a");
    const taken = await rest(server, "POST", `${a}/start`);

    expect([refused.status, taken.status]).toEqual([409, 202]);
    expect(refused.json).toEqual({
      errorCode: "ERR_INSTANCE_ID_EXISTS",
      message: "an active workflow with ID 'a' already exists",
    });
  });

  test.each([
    ["a.b", "1", 400, "ERR_INSTANCE_ID_INVALID"],
    ["x".repeat(65), "1", 400, "ERR_INSTANCE_ID_TOO_LONG"],
    ["a", Buffer.from([0xff]), 400, "ERR_MALFORMED_REQUEST"],
    ["a", Buffer.alloc(limits.payloadBytes + 1, "1"), 413, "ERR_PAYLOAD_TOO_LARGE"],
    ["a", Buffer.alloc(limits.requestBytes + 1, "1"), 400, "ERR_BODY_READ"],
  ])("of %s is refused", async (id, body, status, errorCode) => {
    const answer = await rest(await startServer(), "POST", `/v1.0/workflows/w/${id}/start`, body);

    expect(answer).toMatchObject({ status, json: { errorCode } });
  });

  test("is the shipped form when the first segment names a component", async () => {
    const server = await startServer();

    const shipped = await rest(server, "POST", "/v1.0/workflows/dapr/order/start?instanceID=b");
    const beta = await rest(server, "POST", "/v1.0-beta1/workflows/x/order/start?instanceID=c");

    expect([shipped.json, beta.json]).toEqual([{ instanceID: "b" }, { instanceID: "c" }]);
    expect((await server.engine.get("c"))?.workflow).toBe("order");
  });
});

describe("start with Prefer: wait", () => {
  test("answers with the output when the workflow ends in time", async () => {
    const server = await startServer();
    startWorker(server, { turn: () => [completed('{"big": 12345678901234567890}')] });

    const answer = await rest(server, "POST", `${a}/start`, "", { prefer: "wait=60" });

    expect(answer).toMatchObject({ status: 200, text: '{"big": 12345678901234567890}' });
    expect(answer.headers).toMatchObject({
      "content-type": "application/json",
      "preference-applied": "wait=60",
      location: a,
    });
  });

  test("answers null for a workflow without an output", async () => {
    const engine = fakeEngine({
      start: async () => ({ instanceId: "a", executionId: "e" }),
      waitForCompletion: async () => fakeInstance({ status: "completed" }),
    });
    const server = await startServer({ engine });

    const answer = await rest(server, "POST", `${a}/start`, "", { prefer: "wait=60" });

    expect(answer).toMatchObject({ status: 200, text: "null" });
  });

  test("answers 500 with the failure of a workflow that fails", async () => {
    const server = await startServer();
    startWorker(server, { turn: () => [ended(OrchestrationStatus.FAILED, "no money")] });

    const answer = await rest(server, "POST", `${a}/start`, "", { prefer: "wait=60" });

    expect(answer.status).toBe(500);
    expect(answer.json).toEqual({
      errorCode: "ERR_WORKFLOW_FAILED",
      message: "workflow 'a' failed: no money",
      instanceID: "a",
      failure: { type: "Declined", message: "no money", stackTrace: "at line 1" },
    });
  });

  test("answers 500 when the workflow is terminated meanwhile", async () => {
    const server = await startServer();

    const answer = rest(server, "POST", `${a}/start`, "", { prefer: "wait=60" });
    await server.engine.waitUntil("a", () => true);
    await rest(server, "POST", `${a}/terminate`);

    expect(await answer).toMatchObject({
      status: 500,
      json: { errorCode: "ERR_WORKFLOW_TERMINATED", instanceID: "a" },
    });
  });

  test("answers 202 when the time is up first", async () => {
    const server = await startServer();

    const answer = await rest(server, "POST", `${a}/start`, "", { prefer: "wait=1" });

    expect(answer).toMatchObject({ status: 202, json: { instanceID: "a" } });
    expect(answer.headers).toMatchObject({ location: a, "preference-applied": "wait=1" });
  });

  test("starts for good when the caller does not stay for the answer", async () => {
    const server = await startServer();
    const gone = new AbortController();
    const call = fetch(`${server.url}${a}/start`, {
      method: "POST",
      headers: { prefer: "wait=60" },
      signal: gone.signal,
    });
    await server.engine.waitUntil("a", () => true);

    gone.abort();

    await expect(call).rejects.toThrow();
    expect((await rest(server, "GET", a)).status).toBe(200);
  });
});

describe("dapr-workflow-metadata", () => {
  test("becomes the instance's tags and shows in its status", async () => {
    const server = await startServer();

    const answer = await fetch(`${server.url}${a}/start`, {
      method: "POST",
      headers: [
        ["dapr-workflow-metadata", 'team=books; note="a; \\"b\\""'],
        ["dapr-workflow-metadata", "city=K%C3%B6ln"],
      ],
    });

    const metadata = { team: "books", note: 'a; "b"', city: "Köln" };
    expect(answer.status).toBe(202);
    expect((await server.engine.get("a"))?.tags).toEqual(metadata);
    expect((await rest(server, "GET", a)).json).toMatchObject({ metadata });
  });

  test.each([
    ["a", "ERR_WORKFLOW_METADATA_INVALID", "write key=value"],
    ["a=1; a=2", "ERR_WORKFLOW_METADATA_INVALID", "given twice"],
    [`a=${"x".repeat(1025)}`, "ERR_START_WORKFLOW", "at most 1024"],
    [`${"k".repeat(257)}=1`, "ERR_START_WORKFLOW", "1 to 256 bytes"],
    [Array.from({ length: 65 }, (_, n) => `k${n}=`).join(";"), "ERR_START_WORKFLOW", "at most 64"],
  ])("is refused when it is wrong: %.20s", async (value, errorCode, text) => {
    const headers = { "dapr-workflow-metadata": value };

    const answer = await rest(await startServer(), "POST", `${a}/start`, "", headers);

    expect(answer).toMatchObject({ status: 400, json: { errorCode } });
    expect(answer.text).toContain(text);
  });
});

describe("GET", () => {
  test("shows all of the shipped form, and the times and the custom status", async () => {
    const instance = fakeInstance({
      status: "completed",
      startedAt: 1_700_000_000_050,
      completedAt: 1_700_000_000_120,
      input: "1",
      output: "2",
      customStatus: '{"step":"done"}',
      tags: { team: "books" },
    });
    const server = await startServer({ engine: fakeEngine({ get: async () => instance }) });

    expect(await rest(server, "GET", a)).toMatchObject({ status: 200 });
    expect((await rest(server, "GET", a)).json).toEqual({
      instanceID: "a",
      workflowName: "order",
      createdAt: "2023-11-14T22:13:20Z",
      lastUpdatedAt: "2023-11-14T22:13:20.120Z",
      startTime: "2023-11-14T22:13:20.050Z",
      completionTime: "2023-11-14T22:13:20.120Z",
      runtimeStatus: "COMPLETED",
      customStatus: { step: "done" },
      metadata: { team: "books" },
      properties: {
        "dapr.workflow.input": "1",
        "dapr.workflow.output": "2",
        "dapr.workflow.custom_status": '{"step":"done"}',
      },
    });
  });

  test.each([
    ["not JSON", "not JSON"],
    ['"JSON"', "JSON"],
  ])("shows the custom status %j as %j", async (customStatus, shown) => {
    const instance = fakeInstance({ customStatus, status: "stalled", stallReason: "too long" });
    const server = await startServer({ engine: fakeEngine({ get: async () => instance }) });

    expect((await rest(server, "GET", a)).json).toMatchObject({
      customStatus: shown,
      runtimeStatus: "STALLED",
      stallReason: "too long",
    });
  });
});

describe("raiseEvent without a name in the path", () => {
  const binary = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "paid" };
  const structured = { "content-type": "application/cloudevents+json; charset=utf-8" };
  const batch = { "content-type": "application/cloudevents-batch+json" };
  const event = { specversion: "1.0", id: "1", source: "/s", type: "paid" };

  test.each([
    ["?eventName=paid", "7", {}, "7"],
    ["?eventName=paid", "", {}, undefined],
    ["", " 7 ", binary, " 7 "],
    ["", JSON.stringify({ ...event, data: { by: "card" } }), structured, '{"by":"card"}'],
    ["", '{"type":"paid","data":[9007199254740993,1.50]}', structured, "[9007199254740993,1.50]"],
    ["", JSON.stringify({ ...event, data_base64: btoa("[1, 2]") }), structured, "[1, 2]"],
    ["", JSON.stringify(event), structured, undefined],
    ["?eventName=paid", JSON.stringify({ type: "other", data: 1 }), structured, "1"],
  ])("%s with the body %s", async (query, body, headers, payload) => {
    const raised: unknown[] = [];
    const engine = fakeEngine({
      async raiseEvent(...call) {
        raised.push(call);
      },
    });
    const server = await startServer({ engine });

    const answer = await rest(server, "POST", `${a}/raiseEvent${query}`, body, headers);

    expect(answer).toMatchObject({ status: 202, text: "{}" });
    expect(raised).toEqual([["a", "paid", payload]]);
  });

  test.each([
    ["", "1", {}, "ERR_WORKFLOW_EVENT_NAME_MISSING"],
    ["?eventName=", "1", {}, "ERR_WORKFLOW_EVENT_NAME_MISSING"],
    ["", '{"data":1}', structured, "ERR_WORKFLOW_EVENT_NAME_MISSING"],
    ["", "{", structured, "ERR_MALFORMED_REQUEST"],
    ["", "[]", structured, "ERR_MALFORMED_REQUEST"],
    ["", "", structured, "ERR_MALFORMED_REQUEST"],
    ["", '{"type":1}', structured, "ERR_MALFORMED_REQUEST"],
    ["", '{"type":"t","data_base64":1}', structured, "ERR_MALFORMED_REQUEST"],
    ["", '{"type":"t","data_base64":"e30*"}', structured, "ERR_MALFORMED_REQUEST"],
    ["", '{"type":"t","data_base64":"e30"}', structured, "ERR_MALFORMED_REQUEST"],
    ["", '{"type":"t","data":1,"data_base64":"MQ=="}', structured, "ERR_MALFORMED_REQUEST"],
    ["?eventName=e", "[]", batch, "ERR_MALFORMED_REQUEST"],
    ["", "1", { "ce-type": "%zz" }, "ERR_MALFORMED_REQUEST"],
  ])("%s with the body %s and %j answers 400 %s", async (query, body, headers, errorCode) => {
    const server = await serverWithInstance();

    const answer = await rest(server, "POST", `${a}/raiseEvent${query}`, body, headers);

    expect(answer).toMatchObject({ status: 400, json: { errorCode } });
  });

  test("says where the name goes when there is none", async () => {
    const answer = await rest(await serverWithInstance(), "POST", `${a}/raiseEvent`, "1");

    expect(answer.text).toContain("?eventName=NAME");
    expect(answer.text).toContain("CloudEvent");
  });
});

describe("a control operation", () => {
  test("terminate takes the payload as the output", async () => {
    const server = await serverWithInstance();

    const answer = await rest(server, "POST", `${a}/terminate`, '{"why": "late"}');

    expect(answer).toMatchObject({ status: 202, text: "{}" });
    expect(await server.engine.waitForCompletion("a")).toMatchObject({
      status: "terminated",
      output: '{"why": "late"}',
    });
    expect((await rest(server, "GET", a)).json).toMatchObject({
      runtimeStatus: "TERMINATED",
      properties: { "dapr.workflow.output": '{"why": "late"}' },
    });
  });

  test.each([a, "/v1.0/workflows/dapr/a"])("suspend and resume take turns on %s", async (path) => {
    const server = await serverWithInstance();
    startWorker(server, { turn: () => [] });
    await server.engine.waitForStart("a");

    const early = await rest(server, "POST", `${path}/resume`);
    const suspended = await rest(server, "POST", `${path}/suspend`);
    await server.engine.waitUntil("a", ({ status }) => status === "suspended");
    const resumed = await rest(server, "POST", `${path}/resume`);
    await server.engine.waitUntil("a", ({ status }) => status === "running");

    expect([early.status, suspended.status, resumed.status]).toEqual([202, 202, 202]);
  });

  test("DELETE purges what has ended, and nothing else", async () => {
    const server = await serverWithInstance();

    const refused = await rest(server, "DELETE", a);
    await rest(server, "POST", `${a}/terminate`);
    await server.engine.waitForCompletion("a");
    const purged = await rest(server, "DELETE", a);

    expect([refused.status, purged.status]).toEqual([409, 200]);
    expect(refused.json).toMatchObject({ errorCode: "ERR_INSTANCE_NOT_ENDED" });
    expect((await rest(server, "GET", a)).status).toBe(404);
  });

  test.each([
    ["GET", ""],
    ["DELETE", ""],
    ["POST", "/terminate"],
    ["POST", "/suspend"],
    ["POST", "/resume"],
    ["POST", "/raiseEvent?eventName=e"],
  ])("%s %s of an unknown instance answers 404", async (method, path) => {
    expect(await rest(await startServer(), method, `${a}${path}`)).toMatchObject({
      status: 404,
      json: {
        errorCode: "ERR_INSTANCE_ID_NOT_FOUND",
        message: "unable to find workflow with the provided instance ID: a",
      },
    });
  });

  test.each(["pause", "purge", "raiseEvent/e"])(
    "of the shipped form is served for every first segment: %s",
    async (operation) => {
      const server = await serverWithInstance();
      await server.engine.terminate("a");
      await server.engine.waitForCompletion("a");

      expect((await rest(server, "POST", `${a}/${operation}`)).status).toBe(202);
    },
  );
});
