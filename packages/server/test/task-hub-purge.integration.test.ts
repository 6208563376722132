// SPDX-License-Identifier: Apache-2.0

import type { MessageInitShape } from "@bufbuild/protobuf";
import { OrchestrationStatus, toTimestamp } from "@pawl/protocol";
import type { PurgeInstanceFilterSchema } from "@pawl/protocol/task-hub";
import { describe, expect, test } from "vitest";
import { taskHubClient } from "./task-hub-worker.js";
import { startServer } from "./test-server.js";

describe("TaskHubSidecarService.purgeInstances by filter", () => {
  test("deletes what a filter lets through, and leaves what has not ended", async () => {
    const server = await startServer();
    const client = taskHubClient(server);
    for (const instanceId of ["a", "b", "c"]) {
      await server.engine.start({ workflow: "order", instanceId });
    }
    for (const instanceId of ["a", "b"]) await client.terminateInstance({ instanceId });
    const purge = (value: MessageInitShape<typeof PurgeInstanceFilterSchema>) =>
      client.purgeInstances({ request: { case: "purgeInstanceFilter", value } });

    const before = { createdTimeTo: toTimestamp(1000) };
    expect(await purge(before)).toMatchObject({ deletedInstanceCount: 0, isComplete: true });
    const failed = { runtimeStatus: [OrchestrationStatus.FAILED] };
    expect(await purge(failed)).toMatchObject({ deletedInstanceCount: 0 });
    const none = { deletedInstanceCount: 0, isComplete: true };
    for (const status of [OrchestrationStatus.CANCELED, OrchestrationStatus.CONTINUED_AS_NEW, 77]) {
      expect(await purge({ runtimeStatus: [status] })).toMatchObject(none);
    }
    expect(await purge({})).toMatchObject({ deletedInstanceCount: 2, isComplete: true });
    const { instances } = await server.engine.list();
    expect(instances.map(({ instanceId }) => instanceId)).toEqual(["c"]);
    await expect(client.purgeInstances({})).rejects.toThrow("[invalid_argument]");
  });
});
