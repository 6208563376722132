// SPDX-License-Identifier: Apache-2.0

// Dapr's REST API as it ships, on the real engine: each operation on an instance in each state.

import { create } from "@bufbuild/protobuf";
import { limits, WorkflowActionSchema } from "@pawl/protocol";
import type { WorkflowRequest } from "@pawl/protocol/task-hub";
import { describe, expect, test } from "vitest";
import type { PawlServer } from "../src/index.js";
import { double, oneActivity, startWorker } from "./task-hub-worker.js";
import { rest, startServer } from "./test-server.js";

const api = "/v1.0/workflows/dapr";
const notFound = "ERR_INSTANCE_ID_NOT_FOUND";

/** Brings the instance "a" into a state. */
const states = {
  unknown: async () => {},
  PENDING: async (server: PawlServer) => {
    await rest(server, "POST", `${api}/order/start?instanceID=a`, "1");
  },
  RUNNING: async (server: PawlServer) => {
    startWorker(server, { turn: () => [] });
    await rest(server, "POST", `${api}/order/start?instanceID=a`, "1");
    await server.engine.waitForStart("a");
  },
  SUSPENDED: async (server: PawlServer) => {
    await states.RUNNING(server);
    await rest(server, "POST", `${api}/a/pause`);
    await server.engine.waitUntil("a", ({ status }) => status === "suspended");
  },
  COMPLETED: async (server: PawlServer) => {
    startWorker(server);
    await rest(server, "POST", `${api}/order/start?instanceID=a`, "1");
    await server.engine.waitForCompletion("a");
  },
  TERMINATED: async (server: PawlServer) => {
    await states.PENDING(server);
    await rest(server, "POST", `${api}/a/terminate`);
    await server.engine.waitForCompletion("a");
  },
} as const;

type State = keyof typeof states;

test("a terminate and a purge reach the children", async () => {
  const server = await startServer();
  const below = create(WorkflowActionSchema, {
    workflowActionType: {
      case: "createChildWorkflow",
      value: { name: "order", instanceId: "below" },
    },
  });
  const isFirst = ({ instanceId, newEvents }: WorkflowRequest): boolean =>
    instanceId === "a" && newEvents.some(({ eventType }) => eventType.case === "executionStarted");
  startWorker(server, { turn: (request) => (isFirst(request) ? [below] : []) });
  await rest(server, "POST", `${api}/order/start?instanceID=a`);
  await server.engine.waitForStart("below");

  await rest(server, "POST", `${api}/a/terminate`);
  expect((await server.engine.waitForCompletion("below")).status).toBe("terminated");
  await rest(server, "POST", `${api}/a/purge`);
  expect(await server.engine.get("below")).toBeUndefined();
});

describe("an operation on an instance", () => {
  const exists = "an active workflow with ID 'a' already exists";
  const missing = "no such instance exists";
  const notEnded = "orchestration has not yet completed";

  test.each<[State, string, string, number, string?, string?]>([
    ["unknown", "GET", "a", 404, notFound],
    ["unknown", "POST", "a/raiseEvent/e", 500, "ERR_RAISE_EVENT_WORKFLOW", missing],
    ["unknown", "POST", "a/pause", 500, "ERR_PAUSE_WORKFLOW", missing],
    ["unknown", "POST", "a/resume", 500, "ERR_RESUME_WORKFLOW", missing],
    ["unknown", "POST", "a/terminate", 404, notFound],
    ["unknown", "POST", "a/purge", 404, notFound],
    ["PENDING", "POST", "order/start?instanceID=a", 500, "ERR_START_WORKFLOW", exists],
    ["PENDING", "GET", "a", 200],
    ["PENDING", "POST", "a/raiseEvent/e", 202],
    ["PENDING", "POST", "a/pause", 202],
    ["PENDING", "POST", "a/resume", 202],
    ["PENDING", "POST", "a/terminate", 202],
    ["PENDING", "POST", "a/purge", 500, "ERR_PURGE_WORKFLOW", notEnded],
    ["RUNNING", "POST", "order/start?instanceID=a", 500, "ERR_START_WORKFLOW", exists],
    ["RUNNING", "POST", "a/raiseEvent/e", 202],
    ["RUNNING", "POST", "a/pause", 202],
    ["RUNNING", "POST", "a/resume", 202],
    ["RUNNING", "POST", "a/terminate", 202],
    ["RUNNING", "POST", "a/purge", 500, "ERR_PURGE_WORKFLOW", notEnded],
    ["SUSPENDED", "POST", "order/start?instanceID=a", 500, "ERR_START_WORKFLOW", exists],
    ["SUSPENDED", "POST", "a/raiseEvent/e", 202],
    ["SUSPENDED", "POST", "a/pause", 202],
    ["SUSPENDED", "POST", "a/resume", 202],
    ["SUSPENDED", "POST", "a/terminate", 202],
    ["SUSPENDED", "POST", "a/purge", 500, "ERR_PURGE_WORKFLOW", notEnded],
    ["COMPLETED", "POST", "order/start?instanceID=a", 202],
    ["COMPLETED", "POST", "a/raiseEvent/e", 202],
    ["COMPLETED", "POST", "a/pause", 202],
    ["COMPLETED", "POST", "a/resume", 202],
    ["COMPLETED", "POST", "a/terminate", 202],
    ["COMPLETED", "POST", "a/purge", 202],
    ["TERMINATED", "POST", "order/start?instanceID=a", 202],
    ["TERMINATED", "POST", "a/terminate", 202],
    ["TERMINATED", "POST", "a/purge", 202],
  ])("%s: %s %s answers %i %s", async (state, method, path, status, errorCode, cause = "") => {
    const server = await startServer();
    await states[state](server);

    const answer = await rest(server, method, `${api}/${path}`);

    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toBe("application/json");
    if (errorCode !== undefined) {
      const message = expect.stringContaining(cause);
      expect(answer.json).toEqual({ errorCode, message });
      expect(answer.text).not.toContain("%!");
    } else if (status === 202 && !path.includes("start")) {
      expect(answer.text).toBe("{}");
    }
  });

  test.each(["raiseEvent/e", "pause", "resume", "terminate"])(
    "changes nothing once it has ended: %s",
    async (operation) => {
      const server = await startServer();
      await states.COMPLETED(server);
      const before = await rest(server, "GET", `${api}/a`);

      await rest(server, "POST", `${api}/a/${operation}`, operation === "raiseEvent/e" ? "1" : "");

      expect((await rest(server, "GET", `${api}/a`)).json).toEqual(before.json);
    },
  );

  test("purges for good", async () => {
    const server = await startServer();
    await states.COMPLETED(server);

    await rest(server, "POST", `${api}/a/purge`);

    expect((await rest(server, "GET", `${api}/a`)).status).toBe(404);
  });

  test("starts an ended id anew, with the old run gone", async () => {
    const server = await startServer();
    await states.TERMINATED(server);

    await rest(server, "POST", `${api}/other/start?instanceID=a`, '"new"');

    expect((await rest(server, "GET", `${api}/a`)).json).toMatchObject({
      workflowName: "other",
      runtimeStatus: "PENDING",
      properties: { "dapr.workflow.input": '"new"' },
    });
  });
});

describe("a terminated instance whose activity is still at work", () => {
  test("starts anew, and the new run has its own result", async () => {
    const server = await startServer();
    const gone = startWorker(server, {
      turn: oneActivity,
      activity: () => {
        gone.stop();
        throw new Error("the worker is gone");
      },
    });
    await rest(server, "POST", `${api}/order/start?instanceID=a`, "1");
    await gone.ended;
    await rest(server, "POST", `${api}/a/terminate`);
    await server.engine.waitForCompletion("a");

    const answer = await rest(server, "POST", `${api}/order/start?instanceID=a`, "21");
    startWorker(server, { turn: oneActivity, activity: double });

    expect(answer.status).toBe(202);
    expect(await server.engine.waitForCompletion("a")).toMatchObject({
      status: "completed",
      output: "42",
    });
  });
});

describe("GET", () => {
  test("shows a pending instance with its name, input and time of creation", async () => {
    const server = await startServer();
    const before = Date.now();
    await states.PENDING(server);

    const { json } = await rest(server, "GET", `${api}/a`);

    expect(json).toEqual({
      instanceID: "a",
      workflowName: "order",
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/),
      lastUpdatedAt: expect.any(String),
      runtimeStatus: "PENDING",
      properties: { "dapr.workflow.input": "1" },
    });
    const { createdAt } = json as { createdAt: string };
    expect(Date.parse(createdAt)).toBeGreaterThanOrEqual(before);
  });

  test("shows an instance that was started for later with its time of creation", async () => {
    const server = await startServer();
    const startAt = Date.now() + 3_600_000;
    await server.engine.start({ workflow: "order", instanceId: "a", startAt });

    const { json } = await rest(server, "GET", `${api}/a`);

    expect(json).toMatchObject({ runtimeStatus: "PENDING", workflowName: "order" });
    expect(json).not.toMatchObject({ createdAt: expect.stringMatching(/^0001/) });
  });

  test("shows output, input and failure as they were given", async () => {
    const server = await startServer();
    startWorker(server);
    await rest(server, "POST", `${api}/order/start?instanceID=a`, '"x"');
    await rest(server, "POST", `${api}/order/start?instanceID=empty`);
    await server.engine.waitForCompletion("a");
    await server.engine.waitForCompletion("empty");

    expect((await rest(server, "GET", `${api}/a`)).json).toMatchObject({
      properties: { "dapr.workflow.input": '"x"', "dapr.workflow.output": '"done"' },
    });
    expect((await rest(server, "GET", `${api}/empty`)).json).toMatchObject({
      properties: { "dapr.workflow.input": "" },
    });
  });
});

describe("a workflow that was started for later", () => {
  test("does not run when it is terminated", async () => {
    const server = await startServer();
    let turns = 0;
    startWorker(server, {
      onItem: () => {
        turns += 1;
      },
    });
    const startAt = Date.now() + 3_600_000;
    await server.engine.start({ workflow: "order", instanceId: "a", startAt });

    const answer = await rest(server, "POST", `${api}/a/terminate`);
    const { status } = await server.engine.waitForCompletion("a");

    expect([answer.status, status, turns]).toEqual([202, "terminated", 0]);
  });
});

describe("a large input", () => {
  const start = `${api}/order/start?instanceID=a`;

  test("is taken up to the limit of payloads", async () => {
    const server = await startServer();

    const answer = await rest(server, "POST", start, Buffer.alloc(limits.payloadBytes, "1"));

    expect(answer.status).toBe(202);
  });

  test.each([
    [limits.payloadBytes + 1, "ERR_START_WORKFLOW", "bytes"],
    [limits.requestBytes, "ERR_START_WORKFLOW", "bytes"],
    [limits.requestBytes + 1, "ERR_BODY_READ", "failed to read request body: stream too large"],
  ])("of %i bytes is refused with %s and leaves no trace", async (size, errorCode, message) => {
    const server = await startServer();

    const answer = await rest(server, "POST", start, Buffer.alloc(size, "1"));

    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({ errorCode, message: expect.stringContaining(message) });
    expect((await rest(server, "GET", `${api}/a`)).status).toBe(404);
  });
});

describe("an instance that stalls", () => {
  test("shows STALLED, takes events, and can be terminated and purged", async () => {
    const server = await startServer();
    startWorker(server, { turn: () => [] });
    const half = Buffer.alloc(2_100_000, "1");
    await rest(server, "POST", `${api}/order/start?instanceID=a`, half);
    await server.engine.waitForStart("a");
    await rest(server, "POST", `${api}/a/raiseEvent/e`, half);
    await server.engine.waitUntil("a", ({ status }) => status === "stalled");

    const shown = await rest(server, "GET", `${api}/a`);
    const raised = await rest(server, "POST", `${api}/a/raiseEvent/e`, "1");
    const terminated = await rest(server, "POST", `${api}/a/terminate`);
    await server.engine.waitForCompletion("a");
    const purged = await rest(server, "POST", `${api}/a/purge`);

    expect(shown.json).toMatchObject({ runtimeStatus: "STALLED" });
    expect([raised.status, terminated.status, purged.status]).toEqual([202, 202, 202]);
  });
});
