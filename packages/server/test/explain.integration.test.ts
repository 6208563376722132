// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import {
  CreateTimerActionSchema,
  WaitReason,
  WorkflowActionSchema,
  WorkflowService,
} from "@pawl/protocol";
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

test("a wait and a start without end are told in JSON, and hide no other instance", async () => {
  const server = await startServer();
  const { engine } = server;
  const session = engine.connectWorker({ name: "", workflows: ["w"] }, (item) => {
    if (item.kind !== "turn") return;
    const { instanceId, token } = item;
    const fireAt = create(TimestampSchema, { seconds: 2n ** 62n, nanos: -1 });
    const value = create(CreateTimerActionSchema, {
      fireAt,
      origin: { case: "externalEvent", value: { name: "Go" } },
    });
    const action = create(WorkflowActionSchema, {
      id: 0,
      workflowActionType: { case: "createTimer", value },
    });
    void engine.completeTurn({ instanceId, token, actions: [action] });
  });
  await engine.start({ workflow: "w", instanceId: "a" });
  await engine.start({ workflow: "w", instanceId: "b", startAt: 8e15 });
  await engine.waitForStart("a");
  const call = async (method: string, body: unknown): Promise<unknown> => {
    const response = await fetch(`${server.url}/pawl.v1.WorkflowService/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return response.json();
  };
  expect(await call("ExplainInstance", { instanceId: "a" })).toMatchObject({
    explanation: { timers: [{ fireAt: "9999-12-31T23:59:59.999999999Z", eventName: "Go" }] },
  });
  expect(await call("ListInstances", {})).toMatchObject({
    instances: [
      { instanceId: "a" },
      { instanceId: "b", startAt: "9999-12-31T23:59:59.999999999Z" },
    ],
  });
  const rest = await fetch(`${server.url}/v1.0/workflows/dapr/a/explain`);
  expect(await rest.json()).toMatchObject({ timers: [{ fireAt: "9999-12-31T23:59:59.999Z" }] });
  await engine.terminate("b");
  await engine.waitForCompletion("b");
  for (const [id, field] of [
    ["a", "fireAt"],
    ["b", "scheduledStartTimestamp"],
  ]) {
    const told = `"${field}":"9999-12-31T23:59:59.999999999Z"`;
    expect(JSON.stringify(await call("GetInstanceHistory", { instanceId: id }))).toContain(told);
    const history = await fetch(`${server.url}/v1.0/workflows/dapr/${id}/history`);
    expect(await history.text()).toContain(told);
  }
  await session.close();
});
