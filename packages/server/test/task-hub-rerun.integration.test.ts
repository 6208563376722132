// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { double, oneActivity, startWorker, taskHubClient } from "./task-hub-worker.js";
import { startServer } from "./test-server.js";

describe("RerunWorkflowFromEvent", () => {
  test("runs an ended instance again from an event", async () => {
    const server = await startServer();
    const client = taskHubClient(server);
    startWorker(server, { turn: oneActivity, activity: double });
    await client.startInstance({ instanceId: "a", name: "twice", input: "21" });
    await client.waitForInstanceCompletion({ instanceId: "a" });
    const { events } = await client.getInstanceHistory({ instanceId: "a" });
    const eventID = events.find(({ eventType }) => eventType.case === "taskScheduled")?.eventId;

    const { newInstanceID } = await client.rerunWorkflowFromEvent({
      sourceInstanceID: "a",
      eventID: eventID ?? 99,
      input: "5",
      overwriteInput: true,
    });
    const { workflowState } = await client.waitForInstanceCompletion({
      instanceId: newInstanceID,
      getInputsAndOutputs: true,
    });

    expect(newInstanceID).toMatch(/^[0-9a-f-]{36}$/);
    expect(workflowState?.output).toBe("10");
  });

  test("is refused with Dapr's codes", async () => {
    const server = await startServer();
    const client = taskHubClient(server);
    const worker = startWorker(server, { turn: oneActivity, activity: double });
    await client.startInstance({ instanceId: "a", name: "twice", input: "21" });
    await client.waitForInstanceCompletion({ instanceId: "a" });
    worker.stop();
    await worker.ended;
    await server.engine.start({ workflow: "twice", instanceId: "open" });
    const codeOf = async (
      request: Parameters<typeof client.rerunWorkflowFromEvent>[0],
    ): Promise<[Code, string]> => {
      const error: unknown = await client.rerunWorkflowFromEvent(request).catch((caught) => caught);
      const { code, rawMessage } = ConnectError.from(error);
      return [code, rawMessage];
    };

    expect(await codeOf({ sourceInstanceID: "none" })).toEqual([Code.NotFound, expect.anything()]);
    expect(await codeOf({ sourceInstanceID: "open" })).toEqual([
      Code.InvalidArgument,
      "'open' is not in a terminal state",
    ]);
    expect(await codeOf({ sourceInstanceID: "a", eventID: 77 })).toEqual([
      Code.NotFound,
      expect.stringContaining("does not have history event with ID '77'"),
    ]);
    expect(await codeOf({ sourceInstanceID: "a", newInstanceID: "a" })).toEqual([
      Code.InvalidArgument,
      expect.anything(),
    ]);
    expect(await codeOf({ sourceInstanceID: "a", newInstanceID: "open" })).toEqual([
      Code.AlreadyExists,
      "workflow 'open' has already been created",
    ]);
  });
});
