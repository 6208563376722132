// SPDX-License-Identifier: Apache-2.0

// dapr.proto.runtime.v1.Dapr against what Dapr is known to answer, state by state. Alpha1 and Beta1 are
// the same methods.

import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Dapr } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import type { PawlServer } from "../src/index.js";
import { completed, startWorker } from "./task-hub-worker.js";
import { startServer } from "./test-server.js";

type Generation = "Alpha1" | "Beta1";
const states = ["unknown", "pending", "running", "suspended", "finished"] as const;
type State = (typeof states)[number];

/** Starts a server whose workflow "w" goes on until the event "end", and an instance "a" in a state. */
async function serverWith(state: State): Promise<PawlServer> {
  const server = await startServer();
  const { engine } = server;
  if (state === "unknown") return server;
  if (state !== "pending") {
    startWorker(server, {
      turn: ({ newEvents }) =>
        newEvents.some(({ eventType }) => eventType.case === "eventRaised") ? [completed("1")] : [],
    });
  }
  await engine.start({ workflow: "w", instanceId: "a", input: "0" });
  if (state === "pending") return server;
  await engine.waitForStart("a");
  if (state === "suspended") {
    await engine.suspend("a");
    await engine.waitUntil("a", ({ status }) => status === "suspended");
  }
  if (state === "finished") {
    await engine.raiseEvent("a", "end");
    await engine.waitForCompletion("a");
  }
  return server;
}

/** Code and message of a failure; "ok" for an answer. */
async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "ok";
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    return `${Code[code]}: ${rawMessage}`;
  }
}

function clientOf(server: PawlServer): Client<typeof Dapr> {
  return createClient(Dapr, createGrpcTransport({ baseUrl: server.url }));
}

const target = { instanceId: "a", workflowComponent: "dapr" };
const operations: Record<
  string,
  (client: Client<typeof Dapr>, generation: Generation) => Promise<unknown>
> = {
  start: (client, generation) =>
    client[`startWorkflow${generation}`]({ ...target, workflowName: "w" }),
  get: (client, generation) => client[`getWorkflow${generation}`](target),
  raiseEvent: (client, generation) =>
    client[`raiseEventWorkflow${generation}`]({ ...target, eventName: "e" }),
  pause: (client, generation) => client[`pauseWorkflow${generation}`](target),
  resume: (client, generation) => client[`resumeWorkflow${generation}`](target),
  terminate: (client, generation) => client[`terminateWorkflow${generation}`](target),
  purge: (client, generation) => client[`purgeWorkflow${generation}`](target),
};

const none = "no such instance exists";
const unfound = "NotFound: unable to find workflow with the provided instance ID: a";
const taken =
  "Internal: error starting workflow 'w': unable to start workflow: failed to start workflow: rpc error: code = AlreadyExists desc = an active workflow with ID 'a' already exists";
const unended =
  "Internal: error purging workflow a: failed to Purge workflow a: failed to purge workflow state: orchestration has not yet completed";

/** What each operation answers in each state, in the order of `states`. */
const answers: Record<string, readonly string[]> = {
  start: ["ok", taken, taken, taken, "ok"],
  get: ["ok", "ok", "ok", "ok", "ok"],
  raiseEvent: [
    `Internal: error raising event on workflow 'a': failed to raise event e on workflow a: failed to raise event: ${none}`,
    ...["ok", "ok", "ok", "ok"],
  ],
  pause: [
    `Internal: error pausing workflow a: failed to pause workflow a: failed to suspend workflow: ${none}`,
    ...["ok", "ok", "ok", "ok"],
  ],
  resume: [
    `Internal: error resuming workflow a: failed to resume workflow a: failed to resume workflow: ${none}`,
    ...["ok", "ok", "ok", "ok"],
  ],
  terminate: [unfound, "ok", "ok", "ok", "ok"],
  purge: [unfound, unended, unended, unended, "ok"],
};

describe.each(["Alpha1", "Beta1"] as const)("a workflow method of %s", (generation) => {
  test.each(
    Object.keys(operations).flatMap((name) =>
      states.map((state, index) => [name, state, answers[name]?.[index]] as const),
    ),
  )("%s of an instance that is %s: %s", async (name, state, expected) => {
    const client = clientOf(await serverWith(state));
    expect(await outcomeOf(operations[name]?.(client, generation) ?? Promise.reject())).toBe(
      expected,
    );
  });
});

describe("arguments", () => {
  const long = "x".repeat(65);
  test.each<[string, (client: Client<typeof Dapr>) => Promise<unknown>, string]>([
    [
      "an id that is too long, before any other",
      (client) => client.startWorkflowBeta1({ instanceId: `${long}/` }),
      "workflow instance ID exceeds the max length of 64 characters",
    ],
    [
      "an id with other characters, before the name",
      (client) => client.startWorkflowBeta1({ instanceId: "a/b" }),
      "workflow instance ID 'a/b' is invalid: only alphanumeric and underscore characters are allowed",
    ],
    [
      "no name, before the app",
      (client) => client.startWorkflowBeta1({ appId: "a/b" }),
      "workflow name is not configured",
    ],
    [
      "an app with other characters, before the start time",
      (client) =>
        client.startWorkflowBeta1({
          workflowName: "w",
          appId: "a/b",
          options: { "dapr.workflow.start_time": "soon" },
        }),
      "workflow app ID 'a/b' is invalid: only alphanumeric, dash and underscore characters are allowed",
    ],
    [
      "no id",
      (client) => client.terminateWorkflowBeta1({ appId: "a/b" }),
      "no instance ID was provided",
    ],
    [
      "no name of an event",
      (client) => client.raiseEventWorkflowBeta1({ instanceId: "a" }),
      "missing workflow event name",
    ],
  ])("with %s are refused", async (_title, call, message) => {
    const client = clientOf(await startServer());
    expect(await outcomeOf(call(client))).toBe(`InvalidArgument: ${message}`);
  });

  test("with a start time that is none are refused, and a past one is now", async () => {
    const server = await serverWith("pending");
    startWorker(server);
    const client = clientOf(server);
    const startAt = (text: string) =>
      client.startWorkflowBeta1({
        workflowName: "w",
        options: { "dapr.workflow.start_time": text, other: "ignored" },
      });
    expect(await outcomeOf(startAt("soon"))).toBe(
      `Internal: error starting workflow 'w': start times must be in RFC3339 format (e.g. "2009-11-10T23:00:00Z")`,
    );
    const { instanceId } = await startAt("2009-11-10T23:00:00Z");
    expect((await server.engine.waitForCompletion(instanceId)).status).toBe("completed");
    const later = await startAt("2999-01-01T00:00:00Z");
    const { runtimeStatus } = await client.getWorkflowBeta1({ instanceId: later.instanceId });
    expect(runtimeStatus).toBe("PENDING");
  });

  test("without an id get a random one, and any component is the built-in one", async () => {
    const client = clientOf(await startServer());
    const start = { workflowName: "w", workflowComponent: "anything" };
    const { instanceId } = await client.startWorkflowAlpha1(start);
    expect(instanceId).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  });
});

describe("GetWorkflow", () => {
  test("shows what Dapr shows of an instance that has finished, and only the id of none", async () => {
    const server = await serverWith("finished");
    const client = clientOf(server);
    const shown = await client.getWorkflowBeta1(target);
    expect(shown).toMatchObject({
      instanceId: "a",
      workflowName: "w",
      runtimeStatus: "COMPLETED",
      properties: { "dapr.workflow.input": "0", "dapr.workflow.output": "1" },
    });
    expect(shown.createdAt?.seconds).toBeGreaterThan(1_600_000_000n);
    expect(await client.getWorkflowBeta1({ instanceId: "x" })).toEqual({
      $typeName: "dapr.proto.runtime.v1.GetWorkflowResponse",
      instanceId: "x",
      workflowName: "",
      runtimeStatus: "",
      properties: {},
    });
  });
});

describe("GetMetadata", () => {
  test("counts workers in field 12, and leaves it out when there are none", async () => {
    const server = await serverWith("pending");
    const client = clientOf(server);
    expect((await client.getMetadata({})).workflows).toBeUndefined();
    startWorker(server);
    await expect.poll(() => server.engine.workerCount()).toBe(1);
    const { id, runtimeVersion, extendedMetadata, workflows } = await client.getMetadata({});
    expect({ id, connected: workflows?.connectedWorkers }).toEqual({ id: "pawl", connected: 1 });
    expect(extendedMetadata.daprRuntimeVersion).toBe(runtimeVersion);
  });
});
