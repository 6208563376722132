// SPDX-License-Identifier: Apache-2.0

// Why an instance does not move, which workers there are, and a rerun: over REST, RPC and the command
// line.

import { createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { WorkerKind, WorkflowService } from "@pawl/protocol";
import { describe, expect, test, vi } from "vitest";
import { explain } from "../src/command/explain.js";
import { workers } from "../src/command/workers.js";
import type { PawlServer } from "../src/index.js";
import { fakeEngine } from "./fake-engine.js";
import { double, oneActivity, startWorker, taskHubClient } from "./task-hub-worker.js";
import { keepTerminal } from "./terminal.js";
import { rest, startServer } from "./test-server.js";

const dapr = "/v1.0/workflows/dapr";

/** A server with a worker of each kind. */
async function serverWithWorkers(): Promise<PawlServer> {
  const server = await startServer();
  server.engine.connectWorker(
    { name: "billing", workflows: ["order"], activities: [], turnLimit: 7 },
    () => {},
  );
  startWorker(server, { turn: oneActivity, activity: double });
  await vi.waitFor(() => expect(server.engine.workerCount()).toBe(2), 20_000);
  return server;
}

describe("GET …/workers", () => {
  test("lists the workers that are connected", async () => {
    const server = await serverWithWorkers();
    for (const prefix of ["/v1.0", "/v1.0-beta1", "/v1.0-alpha1"]) {
      const { status, json } = await rest(server, "GET", `${prefix}/workers`);
      expect(status).toBe(200);
      expect(json).toEqual({
        workers: [
          {
            id: expect.any(String),
            name: "billing",
            kind: "embedded",
            connectedAt: expect.stringMatching(/^\d{4}-/),
            workflows: ["order"],
            activities: [],
            turnLoad: { count: 0, limit: 7 },
            activityLoad: { count: 0, limit: 1000 },
            cachedCount: 0,
          },
          {
            id: expect.any(String),
            name: expect.stringContaining("connect-es"),
            kind: "durable-task",
            protocol: "grpc",
            connectedAt: expect.any(String),
            turnLoad: { count: 0, limit: 50 },
            activityLoad: { count: 0, limit: 50 },
            cachedCount: 0,
          },
        ],
      });
    }
  });
});

describe.each([
  ["Connect JSON", (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: "1.1" })],
  ["gRPC", (baseUrl: string) => createGrpcTransport({ baseUrl })],
  ["gRPC-Web", (baseUrl: string) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
])("ListWorkers over %s", (_, transportOf) => {
  test("tells announced names from none", async () => {
    const server = await serverWithWorkers();
    const client = createClient(WorkflowService, transportOf(server.url));
    expect((await client.listWorkers({})).workers).toMatchObject([
      {
        name: "billing",
        kind: WorkerKind.EMBEDDED,
        protocol: "",
        workflows: ["order"],
        everyWorkflow: false,
        activities: [],
        everyActivity: false,
        turnLoad: { count: 0, limit: 7 },
      },
      { kind: WorkerKind.DURABLE_TASK, everyWorkflow: true, everyActivity: true },
    ]);
  });
});

describe("GET …/explain", () => {
  test("says what an instance waits for, and who has it", async () => {
    const server = await startServer();
    await server.engine.start({ workflow: "order", instanceId: "a" });
    const path = `${dapr}/a/explain`;
    expect((await rest(server, "GET", path)).json).toMatchObject({
      summary: 'Its turn waits for a worker of workflow "order": no connected worker offers it.',
      turn: { waitsFor: "worker", failures: 0 },
      activities: [],
      inbox: [{ kind: "executionStarted" }],
      instance: { instanceID: "a", runtimeStatus: "PENDING" },
    });
    const taken = vi.fn();
    const { workerId } = server.engine.connectWorker({ name: "billing" }, taken);
    await vi.waitFor(() => expect(taken).toHaveBeenCalled(), 20_000);
    expect((await rest(server, "GET", path)).json).toMatchObject({
      summary: `Worker "billing" (${workerId}) has its turn.`,
      turn: { worker: { id: workerId, name: "billing" } },
    });
    expect((await rest(server, "GET", `${dapr}/nobody/explain`)).status).toBe(404);
  });
});

describe("POST …/rerun", () => {
  const endedServer = async (): Promise<[PawlServer, number]> => {
    const server = await startServer();
    const client = taskHubClient(server);
    startWorker(server, { turn: oneActivity, activity: double });
    await client.startInstance({ instanceId: "a", name: "twice", input: "21" });
    await client.waitForInstanceCompletion({ instanceId: "a" });
    const { events } = await client.getInstanceHistory({ instanceId: "a" });
    const found = events.find(({ eventType }) => eventType.case === "taskScheduled");
    return [server, found?.eventId ?? 99];
  };

  test("runs an ended instance again from an event, with another input", async () => {
    const [server, eventId] = await endedServer();
    const body = JSON.stringify({ eventId, newInstanceID: "again", input: 5 });
    const answer = await rest(server, "POST", `${dapr}/a/rerun`, body);
    expect(answer).toMatchObject({
      status: 202,
      json: { instanceID: "again" },
      headers: { location: `${dapr}/again`, "retry-after": "1" },
    });
    expect((await server.engine.waitForCompletion("again")).output).toBe("10");
    const plain = await rest(server, "POST", `${dapr}/a/rerun`, JSON.stringify({ eventId }));
    const { instanceID } = plain.json as { instanceID: string };
    expect((await server.engine.waitForCompletion(instanceID)).output).toBe("42");
  });

  test.each(["9007199254740993", '{ "id": 1.0 }', `${"[".repeat(200_000)}${"]".repeat(200_000)}`])(
    "takes the input %# as it was written",
    async (input) => {
      const inputs: unknown[] = [];
      const engine = fakeEngine({
        async rerun(_id, { replaceInput }) {
          inputs.push(replaceInput?.input);
          return { instanceId: "b", executionId: "e" };
        },
      });
      const body = `{"eventId": 0, "input": ${input}}`;
      const answer = await rest(await startServer({ engine }), "POST", `${dapr}/a/rerun`, body);
      expect([answer.status, inputs[0]]).toEqual([202, input]);
    },
  );

  test.each<[string, string, number, string]>([
    ["nobody", '{"eventId": 0}', 404, "ERR_INSTANCE_ID_NOT_FOUND"],
    ["a", '{"eventId": 77}', 404, "ERR_EVENT_NOT_FOUND"],
    ["a", '{"eventId": 0, "newInstanceID": "open"}', 409, "ERR_INSTANCE_ID_EXISTS"],
    ["open", '{"eventId": 0}', 409, "ERR_INSTANCE_NOT_ENDED"],
    ["a", "", 400, "ERR_MALFORMED_REQUEST"],
    ["a", "{", 400, "ERR_MALFORMED_REQUEST"],
    ["a", '{"eventId": -1}', 400, "ERR_MALFORMED_REQUEST"],
    ["a", '{"eventId": 0, "more": 1}', 400, "ERR_MALFORMED_REQUEST"],
    ["a", '{"eventId": 0, "newInstanceID": "no/slash"}', 400, "ERR_INSTANCE_ID_INVALID"],
  ])("refuses for %s: %s", async (id, body, status, errorCode) => {
    const [server] = await endedServer();
    await server.engine.start({
      workflow: "order",
      instanceId: "open",
      startAt: Date.now() + 60_000,
    });
    const answer = await rest(server, "POST", `${dapr}/${id}/rerun`, body);
    expect(answer).toMatchObject({ status, json: { errorCode } });
  });
});

describe("the command line", () => {
  const terminal = keepTerminal();

  test("explains an instance to people and to programs", async () => {
    const server = await startServer();
    await server.engine.start({ workflow: "order", instanceId: "a" });
    const flags = { address: server.url, token: "" };
    await explain("a", flags);
    expect(terminal.take().split("\n")).toEqual([
      "a  order  pending",
      'Its turn waits for a worker of workflow "order": no connected worker offers it.',
      "inbox     executionStarted",
      "",
    ]);
    await explain("a", { ...flags, json: true });
    expect(JSON.parse(terminal.take())).toMatchObject({ turnWaitsFor: "WAIT_REASON_WORKER" });
    expect(process.exitCode ?? 0).toBe(0);
    await explain("nobody", flags);
    expect(terminal.complained.join("")).toMatch(
      /^pawl: http.*no such instance exists: 'nobody'\n$/,
    );
    expect(process.exitCode).toBe(1);
  });

  test("shows control characters of names, and does not send them to the terminal", async () => {
    const server = await startServer();
    const name = "a\u001b[31m\u009b\n\u0007b";
    const shown = "a\\u001b[31m\\u009b\\u000a\\u0007b";
    await server.engine.start({ workflow: name, instanceId: "a" });
    server.engine.connectWorker({ name, workflows: [name], activities: [] }, () => {});
    const flags = { address: server.url, token: "" };
    await explain("a", flags);
    expect(terminal.take()).toContain(`a  ${shown}  pending\n`);
    await workers(flags);
    expect(terminal.take()).toMatch(/^a\\u001b[^\p{Cc}]*\n[^\p{Cc}]*\n$/u);
    await workers({ ...flags, json: true });
    const json = terminal.take();
    expect(json).not.toMatch(/[^\P{Cc}\n]/u);
    expect(JSON.parse(json)).toMatchObject({ workers: [{ name }] });
    await explain(name, { ...flags, component: "x" });
    expect(terminal.complained.join("")).not.toMatch(/[^\P{Cc}\n]/u);
  });

  test("lists workers to people and to programs", async () => {
    const server = await serverWithWorkers();
    const flags = { address: server.url, token: "" };
    await workers(flags);
    const printed = terminal.take();
    expect(printed).toMatch(/^billing \([\w-]+\), embedded, since \d{4}-.*\n {2}workflows: order;/);
    expect(printed).toMatch(/activities: none; turns: 0 of 7; running activities: 0 of 1000\n/);
    expect(printed).toMatch(
      /durable-task over grpc, since .*\n {2}workflows: any; activities: any;/,
    );
    await workers({ ...flags, json: true });
    expect(JSON.parse(terminal.take())).toMatchObject({ workers: [{ name: "billing" }, {}] });
  });

  test("says in one line that there is no server, or no worker", async () => {
    await workers({ address: "http://127.0.0.1:1", token: "" });
    expect(terminal.complained.join("")).toMatch(/^pawl: http:\/\/127\.0\.0\.1:1: .*\n$/);
    expect(process.exitCode).toBe(1);
    await workers({ address: (await startServer()).url, token: "" });
    expect(terminal.take()).toBe("no worker is connected\n");
  });
});
