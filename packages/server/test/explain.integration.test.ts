// SPDX-License-Identifier: Apache-2.0

import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { WaitReason, WorkflowService } from "@pawl/protocol";
import { expect, test } from "vitest";
import { startServer } from "./test-server.js";

test("ExplainInstance says what an instance waits for", async () => {
  const server = await startServer();
  const transport = createConnectTransport({ baseUrl: server.url, httpVersion: "1.1" });
  const client = createClient(WorkflowService, transport);
  await server.engine.start({ workflow: "order", instanceId: "a" });

  const { explanation } = await client.explainInstance({ instanceId: "a" });
  expect(explanation).toMatchObject({
    instance: { instanceId: "a", workflow: "order" },
    summary: 'Its turn waits for a worker of workflow "order": no connected worker offers it.',
    turnWaitsFor: WaitReason.WORKER,
    inbox: [{ kind: "executionStarted", name: "" }],
  });
  await expect(client.explainInstance({ instanceId: "x" })).rejects.toThrow("[not_found]");
});
