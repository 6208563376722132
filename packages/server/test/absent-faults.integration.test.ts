// SPDX-License-Identifier: Apache-2.0

// Faults that Dapr was seen to have when it was run, and that are not to be here. That a workflow which
// was started for later does not run when it is terminated, and shows when it was made, is in
// rest-shipped.integration.test.ts.

import { expect, test } from "vitest";
import { startWorker, taskHubClient } from "./task-hub-worker.js";
import { rest, startServer } from "./test-server.js";

test("a purge by force of an id that nobody has is refused, and the server goes on", async () => {
  const server = await startServer();
  const hub = taskHubClient(server);
  const purged = await hub.purgeInstances({
    request: { case: "instanceId", value: "nobody" },
    force: true,
    recursive: true,
  });

  expect(purged.deletedInstanceCount).toBe(0);
  expect((await rest(server, "GET", "/v1.0/healthz")).status).toBe(204);
});

test.each(["", "||", "a||b", "a||dapr.internal"])(
  "a start by the sidecar service with the id %j leaves an instance that is listed",
  async (instanceId) => {
    const server = await startServer();
    // It answers when a worker has begun.
    startWorker(server);
    const hub = taskHubClient(server);
    const started = await hub.startInstance({ instanceId, name: "order" });
    const { instanceIds } = await hub.listInstanceIDs({});
    const { json } = await rest(server, "GET", "/v1.0/workflows/dapr");

    expect(started.instanceId).not.toBe("");
    if (instanceId !== "") expect(started.instanceId).toBe(instanceId);
    expect(instanceIds).toEqual([started.instanceId]);
    expect(json).toMatchObject({ instances: [{ instanceID: started.instanceId }] });
    const shown = `/v1.0/workflows/dapr/${encodeURIComponent(started.instanceId)}`;
    expect((await rest(server, "GET", shown)).status).toBe(200);
  },
);
