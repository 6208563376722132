// SPDX-License-Identifier: Apache-2.0

// What a worker's answer comes to that is larger than a payload may be, and than a request of others.

import { Code, ConnectError } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { limits } from "@pawl/protocol";
import { expect, test } from "vitest";
import type { PawlServer } from "../src/index.js";
import { completed, double, oneActivity, startWorker, taskHubClient } from "./task-hub-worker.js";
import { startServer } from "./test-server.js";

const large = `"${"x".repeat(limits.requestBytes)}"`;

const transports = {
  gRPC: (server: PawlServer) => createGrpcTransport({ baseUrl: server.url }),
  Connect: (server: PawlServer) =>
    createConnectTransport({ baseUrl: server.url, httpVersion: "1.1" }),
};

test.each(Object.entries(transports))(
  "an activity's result fails its task, over %s, and the worker goes on",
  async (_, transport) => {
    const server = await startServer();
    const failures: unknown[] = [];
    startWorker(server, {
      transport: transport(server),
      turn(request) {
        const [failed] = request.newEvents.flatMap(({ eventType }) =>
          eventType.case === "taskFailed" ? [eventType.value.failureDetails?.errorType] : [],
        );
        if (failed === undefined) return oneActivity(request);
        failures.push(failed);
        return [completed('"handled"')];
      },
      activity: (request) => (request.input === '"big"' ? large : double(request)),
    });
    const { engine } = server;
    await engine.start({ workflow: "w", instanceId: "a", input: '"big"' });
    expect((await engine.waitForCompletion("a")).output).toBe('"handled"');
    expect(failures).toEqual(["PayloadTooLarge"]);
    await engine.start({ workflow: "w", instanceId: "b", input: "21" });
    expect((await engine.waitForCompletion("b")).output).toBe("42");
  },
);

test.each(Object.entries(transports))(
  "a workflow's output fails its instance, over %s, and the worker goes on",
  async (_, transport) => {
    const server = await startServer();
    startWorker(server, {
      transport: transport(server),
      turn: ({ instanceId }) => [completed(instanceId === "a" ? large : "1")],
    });
    const { engine } = server;
    await engine.start({ workflow: "w", instanceId: "a" });
    expect((await engine.waitForCompletion("a")).failure?.type).toBe("PayloadTooLarge");
    await engine.start({ workflow: "w", instanceId: "b" });
    expect((await engine.waitForCompletion("b")).output).toBe("1");
  },
);

test("no caller's payload may be that large, and no answer where all must be as Dapr's", async () => {
  const codeOf = async (call: Promise<unknown>): Promise<Code | undefined> =>
    call.then(
      () => undefined,
      (error: unknown) => ConnectError.from(error).code,
    );
  const hub = taskHubClient(await startServer());
  const start = { instanceId: "a", name: "w" };
  expect(await codeOf(hub.startInstance({ ...start, input: large }))).toBe(Code.ResourceExhausted);
  expect(await codeOf(hub.raiseEvent({ ...start, input: large }))).toBe(Code.ResourceExhausted);
  expect((await hub.getInstance({ instanceId: "a" })).exists).toBe(false);
  const strict = taskHubClient(await startServer({ strictDapr: true }));
  expect(await codeOf(strict.completeActivityTask({ result: large }))).toBe(Code.ResourceExhausted);
});
