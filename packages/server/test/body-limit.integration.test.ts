// SPDX-License-Identifier: Apache-2.0

// --max-body-bytes, in every protocol.

import { WorkflowService } from "@pawl/protocol";
import { expect, test } from "vitest";
import type { PawlServer } from "../src/index.js";
import { callRpc, rpcProtocols } from "./one-answer/protocol.js";
import { completed, startWorker, taskHubClient } from "./task-hub-worker.js";
import { rest, startServer } from "./test-server.js";

const bodyBytes = 2048;

function startLimited(): Promise<PawlServer> {
  return startServer({ listen: { bodyBytes } });
}

test.each([
  ["/v1.0/workflows/dapr/order/start", "1"],
  ["/v1.0/workflows/order/a/start", "1"],
  ["/v1.0/workflows/order/a/raiseEvent?eventName=e", "1"],
  ["/v1.0/workflows/dapr/a/raiseEvent/e", "1"],
  ["/v1.0/workflows/order/a/terminate", "1"],
  ["/v1.0/workflows/dapr/a/terminate", "{}"],
  ["/v1.0/workflows/dapr/query", "{}"],
])("REST refuses a body over the limit, and says what it is: %s", async (path, body) => {
  const server = await startLimited();
  const post = (bytes: number) => rest(server, "POST", path, body.padEnd(bytes));

  expect((await post(bodyBytes)).json).not.toMatchObject({ errorCode: "ERR_BODY_READ" });
  expect(await post(bodyBytes + 1)).toMatchObject({
    status: 400,
    json: {
      errorCode: "ERR_BODY_READ",
      message: "failed to read request body: stream too large: at most 2048 bytes are taken",
    },
  });
});

test("every RPC protocol refuses a message over the limit", async () => {
  const server = await startLimited();
  const method = WorkflowService.method.startInstance;
  const codes = rpcProtocols(server.url).map(async ([name, transport], index) => {
    const start = async (length: number): Promise<string> => {
      const request = { workflow: "order", instanceId: `a${index}`, input: "1".repeat(length) };
      return (await callRpc(transport, method, request)).code;
    };
    return [name, await start(bodyBytes), await start(bodyBytes / 2)];
  });

  expect(await Promise.all(codes)).toEqual(
    rpcProtocols(server.url).map(([name]) => [name, "PAYLOAD_TOO_LARGE", "OK"]),
  );
});

test("what a worker sends is not held to it", async () => {
  const server = await startLimited();
  const output = JSON.stringify("1".repeat(2 * bodyBytes));
  startWorker(server, { turn: () => [completed(output)] });
  await taskHubClient(server).startInstance({ instanceId: "a", name: "order" });

  expect(await server.engine.waitForCompletion("a")).toMatchObject({ output });
});
