// SPDX-License-Identifier: Apache-2.0

// What calls of the sidecar service wait for, and what they answer at once (engine semantics 2.3.7, 2.4.6).

import { create } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import {
  OrchestrationStatus,
  type TaskHubSidecarService,
  type WorkflowAction,
  WorkflowActionSchema,
} from "@pawl/protocol";
import type { WorkflowRequest, WorkItem } from "@pawl/protocol/task-hub";
import { describe, expect, test } from "vitest";
import type { PawlServer } from "../src/index.js";
import { failureOf } from "./call-failure.js";
import { fakeEngine } from "./fake-engine.js";
import {
  completed,
  oneActivity,
  scheduled,
  startWorker,
  taskHubClient,
} from "./task-hub-worker.js";
import { startServer } from "./test-server.js";

function childOf(name: string, instanceId: string): WorkflowAction {
  return create(WorkflowActionSchema, {
    id: 7,
    workflowActionType: { case: "createChildWorkflow", value: { name, instanceId } },
  });
}

type Hub = Client<typeof TaskHubSidecarService>;

/** A worker whose turns are answered one by one, when the test says so. */
class SlowWorker {
  readonly #hub: Hub;
  readonly #items: AsyncIterator<WorkItem>;

  constructor(hub: Hub) {
    this.#hub = hub;
    this.#items = hub.getWorkItems({ capabilities: [2] })[Symbol.asyncIterator]();
  }

  /** Takes the next turn; resolves with what answers it. */
  async turn(): Promise<(actions?: ReturnType<typeof completed>[]) => Promise<unknown>> {
    const { value } = await this.#items.next();
    const { completionToken, request }: WorkItem = value;
    const { instanceId } = request.value as WorkflowRequest;
    return (actions = []) =>
      this.#hub.completeWorkflowTask({ instanceId, actions, completionToken });
  }
}

/** An instance "a" that runs, with a worker that answers when it is told to. */
async function running(): Promise<{ server: PawlServer; hub: Hub; worker: SlowWorker }> {
  const server = await startServer();
  const hub = taskHubClient(server);
  const worker = new SlowWorker(hub);
  const started = hub.startInstance({ instanceId: "a", name: "w" });
  const answer = await worker.turn();
  await answer();
  await started;
  return { server, hub, worker };
}

/** Whether a call has been answered by the time that the server has answered another one since. */
async function isAnswered(hub: Hub, call: Promise<unknown>): Promise<boolean> {
  let answered = false;
  void call.then(() => {
    answered = true;
  });
  for (let times = 0; times < 3; times += 1) await hub.hello({});
  return answered;
}

async function statusOf(hub: Hub): Promise<OrchestrationStatus | undefined> {
  return (await hub.getInstance({ instanceId: "a" })).workflowState?.workflowStatus;
}

describe("a call that waits for its effect", () => {
  test.each([
    ["suspendInstance", OrchestrationStatus.SUSPENDED],
    ["terminateInstance", OrchestrationStatus.TERMINATED],
  ] as const)("is %s: until the turn that takes it", async (method, status) => {
    const { hub, worker } = await running();
    const call = hub[method]({ instanceId: "a" });
    const answer = await worker.turn();
    expect(await isAnswered(hub, call)).toBe(false);
    await answer();
    await call;
    expect(await statusOf(hub)).toBe(status);
  });

  test("is resumeInstance of a suspended one, and of one that has not begun", async () => {
    const { hub, worker } = await running();
    const suspended = hub.suspendInstance({ instanceId: "a" });
    await (await worker.turn())();
    await suspended;
    const resumed = hub.resumeInstance({ instanceId: "a" });
    const answer = await worker.turn();
    expect(await isAnswered(hub, resumed)).toBe(false);
    await answer();
    await resumed;

    const started = hub.startInstance({ instanceId: "b", name: "w" });
    const first = await worker.turn();
    const early = hub.resumeInstance({ instanceId: "b" });
    expect(await isAnswered(hub, Promise.race([early, started]))).toBe(false);
    await first();
    await Promise.all([early, started]);
  });

  test("is a wait for the start or end of an instance that nobody has started yet", async () => {
    const server = await startServer();
    const hub = taskHubClient(server);
    const waits = [
      hub.waitForInstanceStart({ instanceId: "a" }),
      hub.waitForInstanceCompletion({ instanceId: "a" }),
    ];
    expect(await isAnswered(hub, Promise.race(waits))).toBe(false);
    startWorker(server);
    await hub.startInstance({ instanceId: "a", name: "w" });
    const [start, end] = await Promise.all(waits);
    expect(start?.workflowState?.name).toBe("w");
    expect(end?.workflowState?.workflowStatus).toBe(OrchestrationStatus.COMPLETED);
  });

  test("is a rerun, until the new instance is under way", async () => {
    const server = await startServer();
    const hub = taskHubClient(server);
    const first = startWorker(server, { turn: oneActivity });
    await hub.startInstance({ instanceId: "a", name: "w", input: "1" });
    await hub.waitForInstanceCompletion({ instanceId: "a" });
    first.stop();
    await first.ended;
    const request = { sourceInstanceID: "a", eventID: 0, newInstanceID: "b" };
    expect((await hub.rerunWorkflowFromEvent(request)).newInstanceID).toBe("b");
    const { workflowState } = await hub.getInstance({ instanceId: "b" });
    expect(workflowState?.workflowStatus).toBe(OrchestrationStatus.RUNNING);
  });
});

describe("a call that is answered at once", () => {
  test("is an event, also for one that is pending, suspended or finished", async () => {
    const server = await startServer();
    const hub = taskHubClient(server);
    await server.engine.start({ workflow: "w", instanceId: "a" });
    await hub.raiseEvent({ instanceId: "a", name: "e" });
    expect(await statusOf(hub)).toBe(OrchestrationStatus.PENDING);
    const worker = new SlowWorker(hub);
    await (await worker.turn())();
    const suspended = hub.suspendInstance({ instanceId: "a" });
    await (await worker.turn())();
    await suspended;
    await hub.raiseEvent({ instanceId: "a", name: "e" });
    await (await worker.turn())([completed("1")]);
    await hub.waitForInstanceCompletion({ instanceId: "a" });
    const { events: before } = await hub.getInstanceHistory({ instanceId: "a" });
    await hub.raiseEvent({ instanceId: "a", name: "e" });
    expect((await hub.getInstanceHistory({ instanceId: "a" })).events).toEqual(before);
  });

  test("is any control verb on one that has finished", async () => {
    const { hub, worker } = await running();
    await hub.raiseEvent({ instanceId: "a", name: "e" });
    await (await worker.turn())([completed("1")]);
    await hub.waitForInstanceCompletion({ instanceId: "a" });
    for (const method of ["terminateInstance", "suspendInstance", "resumeInstance"] as const) {
      await hub[method]({ instanceId: "a" });
    }
    expect(await statusOf(hub)).toBe(OrchestrationStatus.COMPLETED);
  });

  test("is a start for a time, also one of the past", async () => {
    const hub = taskHubClient(await startServer());
    const scheduledStartTimestamp = { seconds: 0n, nanos: 0 };
    await hub.startInstance({ instanceId: "a", name: "w", scheduledStartTimestamp });
    expect(await statusOf(hub)).toBe(OrchestrationStatus.PENDING);
  });
});

describe("a start with an id that is taken", () => {
  test("says that unique ids are enforced", async () => {
    const { hub, worker } = await running();
    await hub.raiseEvent({ instanceId: "a", name: "e" });
    await (await worker.turn())([completed("1")]);
    await hub.waitForInstanceCompletion({ instanceId: "a" });
    const again = hub.startInstance({ instanceId: "a", name: "w", enforceUniqueInstanceId: true });
    const error = await failureOf(again);
    expect([error.code, error.rawMessage]).toEqual([
      Code.AlreadyExists,
      "failed to create workflow instance: rpc error: code = AlreadyExists desc = a workflow with ID 'a' already exists and the create enforces instance ID uniqueness",
    ]);
  });

  test("says so of an active one, whatever is enforced, and of one with a child that goes on", async () => {
    const server = await startServer();
    const hub = taskHubClient(server);
    startWorker(server, {
      turn: ({ instanceId }) => (instanceId === "a" ? [childOf("a", "below"), completed("1")] : []),
    });
    await hub.startInstance({ instanceId: "a", name: "w" });
    await hub.waitForInstanceStart({ instanceId: "below" });
    const refusalOf = async (instanceId: string): Promise<unknown[]> => {
      const again = hub.startInstance({ instanceId, name: "w", enforceUniqueInstanceId: true });
      const error = await failureOf(again);
      return [error.code, error.rawMessage];
    };
    const prefix = "failed to create workflow instance: rpc error: code = AlreadyExists desc =";
    expect(await refusalOf("below")).toEqual([
      Code.AlreadyExists,
      `${prefix} an active workflow with ID 'below' already exists`,
    ]);
    expect(await refusalOf("a")).toEqual([
      Code.AlreadyExists,
      `${prefix} cannot recreate workflow with ID 'a': child workflow 'below' has not ended`,
    ]);
  });
});

describe("an older SDK's call that Dapr has dropped", () => {
  test.each([
    ...["RewindInstance", "QueryInstances", "CreateTaskHub", "DeleteTaskHub", "CompleteEntityTask"],
    ...["StreamInstanceHistory", "SignalEntity", "GetEntity", "QueryEntities"],
    ...["CleanEntityStorage", "AbandonTaskActivityWorkItem", "AbandonTaskOrchestratorWorkItem"],
    ...["AbandonTaskEntityWorkItem"],
  ])("%s is not implemented", async (method) => {
    const { url } = await startServer();
    const response = await fetch(`${url}/TaskHubSidecarService/${method}`, {
      method: "POST",
      headers: { "content-type": "application/grpc-web+proto" },
      body: new Uint8Array(5),
    });
    const text = `grpc-status: ${response.headers.get("grpc-status")} ${await response.text()}`;
    expect(text).toContain(`grpc-status: ${Code.Unimplemented}`);
  });
});

describe("Hello", () => {
  test("is answered whatever the engine does", async () => {
    expect(
      await taskHubClient(await startServer({ engine: fakeEngine() })).hello({}),
    ).toBeDefined();
  });
});

describe("payloads", () => {
  test("are shown to those who ask for them", async () => {
    const server = await startServer();
    const hub = taskHubClient(server);
    startWorker(server, { turn: () => [completed('"out"')] });
    await hub.startInstance({ instanceId: "a", name: "w", input: '"in"' });
    const gated = await hub.waitForInstanceCompletion({ instanceId: "a" });
    expect(gated.workflowState).not.toHaveProperty("input");
    expect(gated.workflowState).not.toHaveProperty("output");
    const whole = await hub.getInstance({ instanceId: "a", getInputsAndOutputs: true });
    expect(whole.workflowState).toMatchObject({ input: '"in"', output: '"out"' });
  });
});

describe("a worker that drops what exceeds its queue without a word", () => {
  test("never has more than it can queue, and all of it is done", async () => {
    // As Dapr's JavaScript worker: ten at work, a hundred queued, the rest is dropped.
    const server = await startServer();
    const hub = taskHubClient(server);
    const queue: WorkItem[] = [];
    let atWork = 0;
    let most = 0;
    const abort = new AbortController();
    const work = async (item: WorkItem): Promise<void> => {
      atWork += 1;
      const { request } = item;
      if (request.case === "workflowRequest") {
        const { instanceId, newEvents } = request.value;
        const isDone = newEvents.some(({ eventType }) => eventType.case === "taskCompleted");
        const isFirst = newEvents.some(({ eventType }) => eventType.case === "executionStarted");
        const actions = isFirst ? [scheduled(0, "n", "1")] : isDone ? [completed("1")] : [];
        await hub.completeOrchestratorTask({ instanceId, actions });
      } else if (request.case === "activityRequest") {
        const { workflowInstance, taskId } = request.value;
        await hub.completeActivityTask({ instanceId: workflowInstance?.instanceId ?? "", taskId });
      }
      atWork -= 1;
      const next = queue.shift();
      if (next !== undefined) void work(next);
    };
    const stream = async (): Promise<void> => {
      for await (const item of hub.getWorkItems({}, { signal: abort.signal })) {
        most = Math.max(most, atWork + queue.length + 1);
        if (atWork < 10) void work(item);
        else if (queue.length < 100) queue.push(item);
      }
    };
    const ended = stream().catch(() => {});
    const ids = Array.from({ length: 150 }, (_, index) => `i-${index}`);
    await Promise.all(ids.map((instanceId) => server.engine.start({ workflow: "w", instanceId })));
    const done = await Promise.all(ids.map((id) => server.engine.waitForCompletion(id)));
    expect(done.every(({ status }) => status === "completed")).toBe(true);
    expect(most).toBeLessThanOrEqual(110);
    abort.abort();
    await ended;
  });
});

describe("a message above the limit", () => {
  test("is refused with a clear error, and the connection serves the next", async () => {
    const hub = taskHubClient(await startServer());
    const input = "x".repeat(4 * 1024 * 1024 + 1);
    const refused = await hub
      .startInstance({ instanceId: "a", name: "w", input })
      .catch((reason: unknown) => ConnectError.from(reason));
    expect(refused).toMatchObject({ code: Code.ResourceExhausted });
    expect((refused as ConnectError).rawMessage).toMatch(/at most 3670016/);
    expect(await hub.hello({})).toBeDefined();
  });
});
