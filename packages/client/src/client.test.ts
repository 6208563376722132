// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError, createRouterTransport, type ServiceImpl } from "@connectrpc/connect";
import {
  ErrorDetailSchema,
  InstanceOrder,
  InstanceStatus,
  toTimestamp,
  WorkflowService,
} from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { type Client, createClient } from "./client.js";
import { event, workflow } from "./definition.js";

const order = workflow("order", (_ctx, input: { id: number }) => input.id);

/** A client of a server that answers as it is told. */
function clientOf(service: Partial<ServiceImpl<typeof WorkflowService>>): Client {
  return createClient({
    transport: createRouterTransport((router) => {
      router.service(WorkflowService, service);
    }),
  });
}

/** A rejection as the server sends it. */
function rejection(code: Code, pawlCode: string): ConnectError {
  const detail = { desc: ErrorDetailSchema, value: { code: pawlCode, facts: { instanceId: "i" } } };
  return new ConnectError("no", code, undefined, [detail]);
}

const ended = {
  instanceId: "i",
  workflow: "order",
  createdAt: toTimestamp(1),
  updatedAt: toTimestamp(2),
};

describe("start()", () => {
  test("sends name, input and options, and gives a handle", async () => {
    const requests: unknown[] = [];
    const client = clientOf({
      startInstance(request) {
        requests.push(request);
        return { instanceId: "made", executionId: "e" };
      },
    });
    const handle = await client.start(order, { id: 1 }, { startAt: 1500, tags: { a: "b" } });
    await client.start("other");
    expect(handle.instanceId).toBe("made");
    expect(requests).toMatchObject([
      {
        workflow: "order",
        input: '{"id":1}',
        startAt: { seconds: 1n, nanos: 500_000_000 },
        tags: { a: "b" },
      },
      { workflow: "other" },
    ]);
    expect(requests[1]).not.toHaveProperty("input");
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("refuses %d as a time", async (startAt) => {
    const client = clientOf({ startInstance: () => ({ instanceId: "made", executionId: "e" }) });
    await expect(client.start("order", undefined, { startAt })).rejects.toMatchObject({
      name: "PawlError",
      code: "INVALID_ARGUMENT",
      message: `cannot encode ${startAt} as a time`,
    });
  });

  test("rejects with the server's code and facts", async () => {
    const client = clientOf({
      startInstance() {
        throw rejection(Code.AlreadyExists, "INSTANCE_EXISTS");
      },
    });
    await expect(client.start(order, { id: 1 })).rejects.toMatchObject({
      name: "PawlError",
      code: "INSTANCE_EXISTS",
      message: "no",
      details: { instanceId: "i" },
    });
  });
});

describe("get()", () => {
  test("gives undefined when there is no such instance", async () => {
    const client = clientOf({
      getInstance() {
        throw rejection(Code.NotFound, "INSTANCE_NOT_FOUND");
      },
    });
    expect(await client.get("i")).toBeUndefined();
  });

  test("reads payloads, instants and status", async () => {
    const client = clientOf({
      getInstance: () => ({
        instance: {
          ...ended,
          status: InstanceStatus.SUSPENDED,
          input: "0",
          customStatus: "not json",
          generation: 2,
        },
      }),
    });
    expect(await client.get("i")).toMatchObject({
      status: "suspended",
      input: 0,
      output: undefined,
      customStatus: "not json",
      createdAt: 1,
      updatedAt: 2,
      generation: 2,
    });
  });
});

describe("result()", () => {
  const endingIn = (instance: object): Promise<unknown> =>
    clientOf({ waitForInstanceCompletion: () => ({ instance: { ...ended, ...instance } }) })
      .handle("i")
      .result();

  test.each([["null"], ["0"], ['""'], ["false"], ['{"a":[1]}']])(
    "gives %s back",
    async (output) => {
      const result = await endingIn({ status: InstanceStatus.COMPLETED, output });
      expect(result).toEqual(JSON.parse(output));
    },
  );

  test("gives undefined when there is no output", async () => {
    expect(await endingIn({ status: InstanceStatus.COMPLETED })).toBeUndefined();
  });

  test("throws the failure of a failed instance", async () => {
    const failure = { type: "CardDeclined", message: "no funds" };
    await expect(endingIn({ status: InstanceStatus.FAILED, failure })).rejects.toMatchObject({
      name: "WorkflowFailedError",
      code: "WORKFLOW_FAILED",
      failure: { type: "CardDeclined", message: "no funds" },
    });
  });

  test("throws for a terminated instance, with its output", async () => {
    const instance = { status: InstanceStatus.TERMINATED, output: '"enough"' };
    await expect(endingIn(instance)).rejects.toMatchObject({
      name: "WorkflowTerminatedError",
      code: "WORKFLOW_TERMINATED",
      output: "enough",
    });
  });

  test("gives up when its time is up, or its signal is aborted", async () => {
    const client = clientOf({
      waitForInstanceCompletion: (_request, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new ConnectError("end", Code.Canceled)));
        }),
    });
    const handle = client.handle("i");
    await expect(handle.result({ timeoutMs: 1 })).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
    });
    await expect(
      handle.result({ timeoutMs: 60_000, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("list()", () => {
  const pages = new Map([
    ["", { instances: [ended, { ...ended, instanceId: "j" }], nextPageToken: "p2" }],
    ["p2", { instances: [{ ...ended, instanceId: "k" }], nextPageToken: "" }],
  ]);
  const requests: unknown[] = [];
  const client = clientOf({
    listInstances(request) {
      requests.push(request);
      return pages.get(request.pageToken) ?? {};
    },
  });

  test("goes over all pages", async () => {
    const ids: string[] = [];
    for await (const { instanceId } of client.list({ statuses: ["running"], pageSize: 2 })) {
      ids.push(instanceId);
    }
    expect(ids).toEqual(["i", "j", "k"]);
    expect(requests).toMatchObject([
      { statuses: [InstanceStatus.RUNNING], pageSize: 2, includePayloads: true },
      { pageToken: "p2" },
    ]);
  });

  test("sends every condition and the order", async () => {
    requests.length = 0;
    const query = {
      createdFrom: 1000,
      updatedBefore: 2500,
      parentInstanceId: "p",
      tags: { team: "blue" },
      tagPrefixes: { order: "2026-" },
      sortBy: "created",
      descending: true,
    } as const;
    for await (const _ of client.list(query).pages()) break;
    expect(requests).toMatchObject([
      {
        createdFrom: { seconds: 1n, nanos: 0 },
        updatedBefore: { seconds: 2n, nanos: 500_000_000 },
        parentInstanceId: "p",
        tags: { team: "blue" },
        tagPrefixes: { order: "2026-" },
        orderBy: InstanceOrder.CREATED,
        descending: true,
      },
    ]);
  });

  test("gives pages one by one", async () => {
    const tokens: (string | undefined)[] = [];
    for await (const page of client.list().pages()) tokens.push(page.nextPageToken);
    expect(tokens).toEqual(["p2", undefined]);
  });
});

describe("the other commands", () => {
  test("send what they are given", async () => {
    const requests: unknown[] = [];
    const take =
      <T>(answer: T) =>
      (request: unknown): T => {
        requests.push(request);
        return answer;
      };
    const client = clientOf({
      raiseEvent: take({}),
      suspendInstance: take({}),
      resumeInstance: take({}),
      terminateInstance: take({}),
      purgeInstance: take({ purgedCount: 3 }),
      getInstanceHistory: take({ events: [] }),
    });
    const handle = client.handle("i");
    await handle.raiseEvent(event<number>("paid"), 0);
    await handle.raiseEvent("nudge");
    await handle.suspend("why");
    await handle.resume();
    await handle.terminate({ output: null, recursive: false });
    expect(await handle.purge({ force: true })).toBe(3);
    expect(await handle.history()).toEqual([]);
    expect(requests).toMatchObject([
      { instanceId: "i", name: "paid", input: "0" },
      { name: "nudge" },
      { reason: "why" },
      { instanceId: "i" },
      { output: "null", recursive: false },
      { force: true },
      { instanceId: "i" },
    ]);
    expect(requests[1]).not.toHaveProperty("input");
  });

  test("executions() reads page by page, and get() and history() take an execution", async () => {
    const requests: unknown[] = [];
    const client = clientOf({
      listInstanceExecutions(request) {
        requests.push(request);
        const isFirst = request.pageToken === "";
        return { executions: [ended], nextPageToken: isFirst ? "1" : "" };
      },
      getInstance(request) {
        requests.push(request);
        return { instance: ended };
      },
      getInstanceHistory(request) {
        requests.push(request);
        return { events: [] };
      },
    });
    const handle = client.handle("i");
    const found: string[] = [];
    for await (const { instanceId } of handle.executions({ pageSize: 1 })) found.push(instanceId);
    await handle.get({ executionId: "e" });
    await handle.history({ executionId: "e" });
    await client.get("i");
    expect(found).toEqual(["i", "i"]);
    expect(requests).toMatchObject([
      { instanceId: "i", pageSize: 1, pageToken: "", includePayloads: true },
      { pageToken: "1" },
      { instanceId: "i", executionId: "e" },
      { instanceId: "i", executionId: "e" },
      { executionId: "" },
    ]);
  });

  test("rerun() replaces the input where one is named, and gives a handle", async () => {
    const requests: unknown[] = [];
    const client = clientOf({
      rerunInstance(request) {
        requests.push(request);
        return { instanceId: "again", executionId: "e" };
      },
    });
    const handle = client.handle("i");
    expect((await handle.rerun({ eventId: 3 })).instanceId).toBe("again");
    await handle.rerun({ eventId: 3, input: [1], newInstanceId: "b", newChildInstanceId: "c" });
    await handle.rerun({ eventId: 3, input: undefined });
    expect(requests).toMatchObject([
      { instanceId: "i", eventId: 3, replaceInput: false },
      { input: "[1]", replaceInput: true, newInstanceId: "b", newChildInstanceId: "c" },
      { replaceInput: true },
    ]);
    expect(requests[2]).not.toHaveProperty("input");
  });

  test("watch() gives each state", async () => {
    const client = clientOf({
      async *watchInstance() {
        yield { instance: { ...ended, status: InstanceStatus.RUNNING } };
        yield { instance: { ...ended, status: InstanceStatus.COMPLETED, output: "1" } };
      },
    });
    const seen: unknown[] = [];
    for await (const { instance } of client.watch("i")) {
      seen.push([instance.status, instance.output]);
    }
    expect(seen).toEqual([
      ["running", undefined],
      ["completed", 1],
    ]);
  });
});

describe("createClient()", () => {
  test("refuses two ways to one engine", () => {
    const transport = createRouterTransport(() => {});
    expect(() => createClient({ baseUrl: "http://127.0.0.1:1", transport })).toThrow("give one of");
  });

  test("says when no server answers", async () => {
    const client = createClient({ baseUrl: "http://127.0.0.1:1" });
    await expect(client.get("i")).rejects.toMatchObject({ code: "UNREACHABLE" });
    client.close();
  });
});
