// SPDX-License-Identifier: Apache-2.0

import { Code, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { ErrorDetailSchema, OrchestrationStatus, toTimestamp } from "@pawl/protocol";
import { WorkerCapability, type WorkflowRequest } from "@pawl/protocol/task-hub";
import { describe, expect, test } from "vitest";
import { failureOf } from "./call-failure.js";
import { completed, double, oneActivity, startWorker, taskHubClient } from "./task-hub-worker.js";
import { startServer } from "./test-server.js";

describe("TaskHubSidecarService", () => {
  test("runs a workflow with one activity", async () => {
    const server = await startServer();
    const client = taskHubClient(server);
    startWorker(server, { turn: oneActivity, activity: double });

    const { instanceId } = await client.startInstance({
      instanceId: "a",
      name: "twice",
      input: "21",
    });
    const { exists, workflowState } = await client.waitForInstanceCompletion({
      instanceId,
      getInputsAndOutputs: true,
    });

    expect(exists).toBe(true);
    expect(workflowState).toMatchObject({
      instanceId: "a",
      name: "twice",
      workflowStatus: OrchestrationStatus.COMPLETED,
      input: "21",
      output: "42",
    });
  });

  test.each<[string, (baseUrl: string) => Transport]>([
    [
      "gRPC-Web over HTTP/1.1",
      (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
    ],
    [
      "Connect JSON over HTTP/1.1",
      (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
    ],
  ])("runs one for a worker on %s", async (_name, connect) => {
    const server = await startServer();
    const client = taskHubClient(server);
    startWorker(server, {
      turn: oneActivity,
      activity: double,
      transport: connect(server.url),
    });

    await client.startInstance({ instanceId: "a", name: "twice", input: "5" });
    const { workflowState } = await client.waitForInstanceCompletion({
      instanceId: "a",
      getInputsAndOutputs: true,
    });

    expect(workflowState?.output).toBe("10");
  });

  test("runs one for a worker that does not echo tokens", async () => {
    const server = await startServer();
    const client = taskHubClient(server);
    startWorker(server, { turn: oneActivity, activity: double, omitTokens: true });

    await client.startInstance({ instanceId: "a", name: "twice", input: "4" });
    const { workflowState } = await client.waitForInstanceCompletion({
      instanceId: "a",
      getInputsAndOutputs: true,
    });

    expect(workflowState?.output).toBe("8");
  });

  test("sends the whole past to a worker without a cache", async () => {
    const server = await startServer();
    const requests: WorkflowRequest[] = [];
    startWorker(server, {
      activity: double,
      turn(request) {
        requests.push(request);
        return oneActivity(request);
      },
    });

    const client = taskHubClient(server);
    await client.startInstance({ instanceId: "a", name: "twice", input: "1" });
    await client.waitForInstanceCompletion({ instanceId: "a" });
    const { events } = await client.getInstanceHistory({ instanceId: "a" });

    const [first, second] = requests;
    expect(first?.pastEvents).toEqual([]);
    expect(first?.newEvents.map((event) => event.eventType.case)).toEqual([
      "workflowStarted",
      "executionStarted",
    ]);
    expect(second?.cachedHistory).toBeUndefined();
    expect(second?.pastEvents).toEqual(events.slice(0, second?.pastEvents.length));
    expect(second?.pastEvents.map((event) => event.eventType.case)).toEqual([
      "workflowStarted",
      "executionStarted",
      "taskScheduled",
    ]);
    expect(second?.executionId).toBe(first?.executionId);
  });

  test("sends only what is new to a worker that keeps histories", async () => {
    const server = await startServer();
    const requests: WorkflowRequest[] = [];
    startWorker(server, {
      capabilities: [WorkerCapability.STATEFUL_HISTORY],
      activity: double,
      turn(request) {
        requests.push(request);
        const steps = request.newEvents.some(({ eventType }) => eventType.case === "eventRaised");
        return steps ? [completed("1")] : oneActivity(request).slice(0, 1).filter(isSchedule);
      },
    });
    const client = taskHubClient(server);

    await client.startInstance({ instanceId: "a", name: "twice", input: "1" });
    await expect.poll(() => requests.length).toBe(2);
    await client.raiseEvent({ instanceId: "a", name: "go" });
    await client.waitForInstanceCompletion({ instanceId: "a" });

    const [, second, third] = requests;
    // After each dispatch the worker holds what was committed then (engine semantics 1.9).
    const committed = (second?.cachedHistory?.eventCount ?? 0) + (second?.pastEvents.length ?? 0);
    expect(third?.cachedHistory?.eventCount).toBe(committed);
    expect(third?.pastEvents.length).toBeGreaterThan(0);
  });

  test("opens the stream's headers before there is work", async () => {
    const server = await startServer();
    const client = taskHubClient(server);
    const stop = new AbortController();

    const opened = new Promise<number>((resolve) => {
      const items = client.getWorkItems(
        {},
        { signal: stop.signal, onHeader: () => resolve(server.engine.workerCount()) },
      );
      items[Symbol.asyncIterator]()
        .next()
        .catch(() => {});
    });

    expect(await opened).toBe(1);
    stop.abort();
  });

  test("gives a lost worker's items to another", async () => {
    const server = await startServer();
    const client = taskHubClient(server);
    const lost = new Promise<void>((resolve) => {
      const worker = startWorker(server, {
        turn() {
          worker.stop();
          resolve();
          throw new Error("lost");
        },
      });
    });
    const start = client.startInstance({ instanceId: "a", name: "twice" });
    await lost;

    startWorker(server);
    await start;
    const { workflowState } = await client.waitForInstanceCompletion({ instanceId: "a" });

    expect(workflowState?.workflowStatus).toBe(OrchestrationStatus.COMPLETED);
  });

  test("takes a completion for nothing without an error", async () => {
    const server = await startServer();
    const client = taskHubClient(server);

    await client.completeActivityTask({ instanceId: "a", taskId: 1, completionToken: "x" });
    await client.completeWorkflowTask({ instanceId: "a", completionToken: "x" });
  });

  test("ends the streams of workers with OK when it stops", async () => {
    const server = await startServer();
    const worker = startWorker(server);
    await expect.poll(() => server.engine.workerCount()).toBe(1);

    await server.close();

    expect(await worker.ended).toBeUndefined();
  });
});

describe("TaskHubSidecarService.startInstance", () => {
  test("waits until the instance has begun or the caller's time is up", async () => {
    const server = await startServer();
    const client = taskHubClient(server);

    const error = await failureOf(
      client.startInstance({ instanceId: "a", name: "w" }, { timeoutMs: 100 }),
    );

    expect(error.code).toBe(Code.DeadlineExceeded);
    const { workflowState } = await client.getInstance({ instanceId: "a" });
    expect(workflowState?.workflowStatus).toBe(OrchestrationStatus.PENDING);
  });

  test("does not wait for one that is scheduled", async () => {
    const server = await startServer();
    const client = taskHubClient(server);

    const scheduledStartTimestamp = toTimestamp(0);
    const started = await client.startInstance({
      instanceId: "a",
      name: "w",
      scheduledStartTimestamp,
    });

    expect(started.instanceId).toBe("a");
  });

  test("mints the execution's id, and says it with every turn", async () => {
    const server = await startServer();
    const client = taskHubClient(server);
    const seen: (string | undefined)[] = [];
    startWorker(server, {
      turn: ({ executionId }) => {
        seen.push(executionId);
        return [completed('"done"')];
      },
    });

    await client.startInstance({ instanceId: "a", name: "w", executionId: "mine" });

    const instance = await server.engine.waitForCompletion("a");
    expect(seen).toEqual([instance.executionId]);
    expect(instance.executionId).not.toBe("mine");
  });

  test("refuses the id of an active instance in Dapr's words", async () => {
    const server = await startServer();
    const client = taskHubClient(server);
    await server.engine.start({ workflow: "w", instanceId: "a" });

    const error = await failureOf(client.startInstance({ instanceId: "a", name: "w" }));

    expect(error.code).toBe(Code.AlreadyExists);
    expect(error.rawMessage).toBe(
      "failed to create workflow instance: rpc error: code = AlreadyExists desc = an active workflow with ID 'a' already exists",
    );
    expect(error.findDetails(ErrorDetailSchema)[0]?.code).toBe("INSTANCE_EXISTS");
  });

  test("takes ids that REST refuses, and traces that are none", async () => {
    const server = await startServer();
    const client = taskHubClient(server);

    const started = await client.startInstance({
      instanceId: "a.b|c@d:0001",
      name: "w",
      scheduledStartTimestamp: toTimestamp(0),
      parentTraceContext: { traceParent: "0af7651916cd43dd8448eb211c80319c" },
    });

    expect(started.instanceId).toBe("a.b|c@d:0001");
  });
});

describe("an unknown instance", () => {
  test("does not exist", async () => {
    const client = taskHubClient(await startServer());

    expect(await client.getInstance({ instanceId: "a" })).toMatchObject({ exists: false });
  });

  test("is a purge of none", async () => {
    const client = taskHubClient(await startServer());

    const request = { case: "instanceId", value: "a" } as const;
    expect(await client.purgeInstances({ request })).toMatchObject({ deletedInstanceCount: 0 });
  });

  test("is waited for until the caller's time is up", async () => {
    const client = taskHubClient(await startServer());

    const error = await failureOf(
      client.waitForInstanceCompletion({ instanceId: "a" }, { timeoutMs: 50 }),
    );

    expect(error.code).toBe(Code.DeadlineExceeded);
  });

  test.each([
    ["raiseEvent", "no such instance exists"],
    ["suspendInstance", "no such instance exists"],
    ["resumeInstance", "no such instance exists"],
    ["terminateInstance", "failed to submit termination request: no such instance exists"],
    ["getInstanceHistory", "workflow instance 'a' not found"],
  ] as const)("fails %s in Dapr's words", async (method, message) => {
    const client = taskHubClient(await startServer());

    const error = await failureOf(client[method]({ instanceId: "a", name: "e" }));

    expect([error.code, error.rawMessage]).toEqual([Code.NotFound, message]);
  });
});

describe("control verbs", () => {
  test("wait until they have taken effect", async () => {
    const server = await startServer();
    const client = taskHubClient(server);
    startWorker(server, { turn: () => [] });
    await client.startInstance({ instanceId: "a", name: "w" });
    const statusOf = async (): Promise<OrchestrationStatus | undefined> =>
      (await client.getInstance({ instanceId: "a" })).workflowState?.workflowStatus;

    await client.suspendInstance({ instanceId: "a", reason: "r" });
    expect(await statusOf()).toBe(OrchestrationStatus.SUSPENDED);
    await client.resumeInstance({ instanceId: "a" });
    expect(await statusOf()).toBe(OrchestrationStatus.RUNNING);
    const request = { case: "instanceId", value: "a" } as const;
    const purged = await failureOf(client.purgeInstances({ request }));
    expect([purged.code, purged.rawMessage]).toEqual([
      Code.FailedPrecondition,
      "failed to purge workflow state: orchestration has not yet completed",
    ]);
    await client.terminateInstance({ instanceId: "a", output: '"bye"' });
    expect(await statusOf()).toBe(OrchestrationStatus.TERMINATED);
    expect(await client.purgeInstances({ request })).toMatchObject({ deletedInstanceCount: 1 });
    expect(await client.getInstance({ instanceId: "a" })).toMatchObject({ exists: false });
  });
});

describe("TaskHubSidecarService.listInstanceIDs", () => {
  test("gives all ids, or page by page", async () => {
    const server = await startServer();
    const client = taskHubClient(server);
    const ids = ["a", "b", "c", "d", "e"];
    for (const instanceId of ids) {
      await server.engine.start({ workflow: "w", instanceId });
    }

    const all = await client.listInstanceIDs({});
    expect([...all.instanceIds].sort()).toEqual(ids);
    expect(all.continuationToken).toBeUndefined();

    const pages: string[][] = [];
    let continuationToken: string | undefined;
    do {
      const page = await client.listInstanceIDs({
        pageSize: 2,
        ...(continuationToken === undefined ? {} : { continuationToken }),
      });
      pages.push(page.instanceIds);
      continuationToken = page.continuationToken;
    } while (continuationToken !== undefined);
    expect(pages.flat()).toEqual(all.instanceIds);
    expect(Math.max(...pages.map((page) => page.length))).toBe(2);
  });
});

function isSchedule(action: ReturnType<typeof oneActivity>[number]): boolean {
  return action.workflowActionType.case === "scheduleTask";
}
