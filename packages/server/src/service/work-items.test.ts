// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { createHandlerContext, type HandlerContext } from "@connectrpc/connect";
import type { ActivityItem, WorkerPort, WorkerRegistration, WorkItem } from "@pawl/engine";
import { limits, TaskHubSidecarService } from "@pawl/protocol";
import {
  type GetWorkItemsRequest,
  GetWorkItemsRequestSchema,
  WorkerCapability,
} from "@pawl/protocol/task-hub";
import { afterEach, describe, expect, test, vi } from "vitest";
import { streamWorkItems } from "./work-items.js";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

const activity: ActivityItem = {
  kind: "activity",
  instanceId: "a",
  executionId: "e",
  taskId: 1,
  name: "n",
  taskExecutionId: "",
  token: "t",
};

/** A worker port that only connects. */
class FakePort implements WorkerPort {
  registration: WorkerRegistration | undefined;
  deliver: (item: WorkItem) => void = () => {};
  closed = 0;

  connectWorker(
    registration: WorkerRegistration,
    deliver: (item: WorkItem) => void,
  ): ReturnType<WorkerPort["connectWorker"]> {
    this.registration = registration;
    this.deliver = deliver;
    const close = (): void => {
      this.closed += 1;
    };
    return { workerId: "w", evict() {}, returnTurn() {}, close };
  }

  async completeTurn(): Promise<void> {}
  async completeActivity(): Promise<void> {}
  workerCount(): number {
    return 1;
  }
}

function open(
  capabilities: WorkerCapability[],
  signal?: AbortSignal,
  userAgent = "test/1",
  unknown: NonNullable<GetWorkItemsRequest["$unknown"]> = [],
): { port: FakePort; stream: ReturnType<typeof streamWorkItems> } {
  const port = new FakePort();
  const context: HandlerContext = createHandlerContext({
    service: TaskHubSidecarService,
    method: TaskHubSidecarService.method.getWorkItems,
    protocolName: "grpc",
    requestMethod: "POST",
    url: "http://h/",
    requestHeader: { "user-agent": userAgent },
    ...(signal === undefined ? {} : { requestSignal: signal }),
  });
  const request = create(GetWorkItemsRequestSchema, { capabilities });
  request.$unknown = unknown;
  return { port, stream: streamWorkItems(port, request, context, { log: silent, strict: false }) };
}

afterEach(() => {
  vi.useRealTimers();
});

describe("streamWorkItems()", () => {
  test.each<[string, WorkerCapability[], Partial<WorkerRegistration>]>([
    ["none", [], { cache: "none", turnLimit: 50, activityLimit: 50 }],
    ["stateful history", [WorkerCapability.STATEFUL_HISTORY], { cache: "past" }],
    ["health pings", [WorkerCapability.HEALTH_PING], { cache: "none" }],
  ])("registers a worker with the capability %s", async (_name, capabilities, expected) => {
    const { port, stream } = open(capabilities);
    const next = stream.next();
    port.deliver(activity);
    await next;

    expect(port.registration).toEqual({
      name: "test/1",
      kind: "durable-task",
      protocol: "grpc",
      turnBytes: limits.sidecarTurnBytes,
      isSilent: false,
      ...expected,
    });
    await stream.return(undefined);
    expect(port.closed).toBe(1);
  });

  test("knows that Dapr's .NET worker says nothing of a workflow that it lacks", async () => {
    const { port, stream } = open([], undefined, "grpc-dotnet/2.71.0 dapr-sdk-dotnet/v1.17.0");
    const next = stream.next();
    port.deliver(activity);
    await next;
    expect(port.registration).toMatchObject({ isSilent: true });
    await stream.return(undefined);
  });

  test("pings a worker that asked for it", async () => {
    vi.useFakeTimers();
    const { stream } = open([WorkerCapability.HEALTH_PING]);
    const next = stream.next();

    vi.advanceTimersByTime(30_000);

    expect((await next).value?.request.case).toBe("healthPing");
    await stream.return(undefined);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    ["says how much it takes", [{ no: 1, wireType: 0, data: new Uint8Array([7]) }], "grpc-python"],
    ["says who it is", [], "durabletask-js grpc-node-js/1.14.4"],
  ])("pings a worker of Microsoft's that %s, without being asked", async (_name, fields, agent) => {
    vi.useFakeTimers();
    const { port, stream } = open([], undefined, agent, fields);
    const next = stream.next();
    vi.advanceTimersByTime(30_000);
    const { value } = await next;
    expect(value?.$unknown).toEqual([{ no: 4, wireType: 2, data: new Uint8Array([0]) }]);
    expect(port.registration).toMatchObject({ turnLimit: fields.length === 0 ? 50 : 7 });
    await stream.return(undefined);
  });

  test("closes the session as soon as the call is given up", async () => {
    const call = new AbortController();
    const { port, stream } = open([], call.signal);
    const next = stream.next();

    call.abort();

    expect(port.closed).toBe(1);
    expect((await next).done).toBe(true);
  });
});
