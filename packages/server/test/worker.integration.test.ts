// SPDX-License-Identifier: Apache-2.0

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import {
  OrchestrationStatus,
  type Turn,
  WorkerService,
  WorkflowActionSchema,
  type WorkRequestSchema,
  type WorkResponse,
} from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import type { PawlServer } from "../src/index.js";
import { startServer } from "./test-server.js";

type Message = MessageInitShape<typeof WorkRequestSchema>;

/** One worker stream, driven by hand. */
class TestStream {
  readonly #queue: Message[] = [];
  readonly #responses: AsyncIterator<WorkResponse>;
  #wake = (): void => {};
  #ended = false;

  constructor(server: PawlServer, json = false) {
    const transport = json
      ? createConnectTransport({
          baseUrl: server.url,
          httpVersion: "2",
          useBinaryFormat: false,
        })
      : createGrpcTransport({ baseUrl: server.url });
    const client = createClient(WorkerService, transport);
    this.#responses = client.work(this.#requests())[Symbol.asyncIterator]();
  }

  send(message: Message): void {
    this.#queue.push(message);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async next(): Promise<WorkResponse | undefined> {
    const next = await this.#responses.next();
    return next.done === true ? undefined : next.value;
  }

  async *#requests(): AsyncGenerator<Message> {
    while (!this.#ended || this.#queue.length > 0) {
      const message = this.#queue.shift();
      if (message !== undefined) {
        yield message;
        continue;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

const complete = create(WorkflowActionSchema, {
  id: 9,
  workflowActionType: {
    case: "completeWorkflow",
    value: { workflowStatus: OrchestrationStatus.COMPLETED, result: '"ok"' },
  },
});

const callPing = create(WorkflowActionSchema, {
  id: 0,
  workflowActionType: { case: "scheduleTask", value: { name: "ping", input: "1" } },
});

function eventsOf(turn: Turn | undefined): (string | undefined)[] {
  return (turn?.newEvents ?? []).map((event) => event.eventType.case);
}

describe.each([
  ["gRPC", false],
  ["Connect JSON", true],
])("WorkerService over %s", (_name, json) => {
  test("runs a workflow for a worker that keeps instances", async () => {
    const server = await startServer();
    const stream = new TestStream(server, json);
    stream.send({
      announcement: {
        name: "test",
        workflows: ["w"],
        activities: ["ping"],
        cachesInstances: true,
      },
    });
    expect((await stream.next())?.welcome?.workerId).not.toBe("");
    await server.engine.start({ workflow: "w", instanceId: "a" });

    const [first] = (await stream.next())?.turns ?? [];
    expect(first).toMatchObject({ instanceId: "a", workflow: "w", cached: false });
    expect(eventsOf(first)).toEqual(["workflowStarted", "executionStarted"]);
    const { instanceId = "", token = "" } = first ?? {};
    stream.send({ turns: [{ instanceId, token, actions: [callPing] }] });

    const [task] = (await stream.next())?.activities ?? [];
    expect(task).toMatchObject({ instanceId: "a", activity: "ping", input: "1" });
    const { taskId = -1, token: taskToken = "" } = task ?? {};
    stream.send({ activities: [{ instanceId, taskId, token: taskToken, output: "2" }] });

    const [second] = (await stream.next())?.turns ?? [];
    expect(second).toMatchObject({ instanceId: "a", cached: true, pastEvents: [] });
    expect(second?.pastEventCount).toBe(3);
    expect(eventsOf(second)).toEqual(["workflowStarted", "taskCompleted"]);
    stream.send({
      turns: [{ instanceId, token: second?.token ?? "", actions: [complete] }],
    });

    const instance = await server.engine.waitForCompletion("a");
    expect(instance).toMatchObject({ status: "completed", output: '"ok"' });
    stream.end();
  });
});

describe("WorkerService", () => {
  test("sends a turn whole after a cache miss", async () => {
    const server = await startServer();
    const stream = new TestStream(server);
    stream.send({ announcement: { workflows: ["w"], cachesInstances: true } });
    await stream.next();
    await server.engine.start({ workflow: "w", instanceId: "a" });
    const [first] = (await stream.next())?.turns ?? [];
    stream.send({ turns: [{ instanceId: "a", token: first?.token ?? "" }] });
    await server.engine.waitForStart("a");
    await server.engine.raiseEvent("a", "e");

    const [cached] = (await stream.next())?.turns ?? [];
    stream.send({ turns: [{ instanceId: "a", token: cached?.token ?? "", cacheMiss: true }] });
    const [whole] = (await stream.next())?.turns ?? [];

    expect(cached?.cached).toBe(true);
    expect(whole).toMatchObject({ cached: false, pastEventCount: cached?.pastEventCount ?? 0 });
    expect(whole?.pastEvents.length).toBe(cached?.pastEventCount);
    expect(eventsOf(whole)).toEqual(eventsOf(cached));
    stream.end();
  });

  test("puts items that are ready together into one message", async () => {
    const server = await startServer();
    for (const instanceId of ["a", "b", "c"]) {
      await server.engine.start({ workflow: "w", instanceId });
    }
    const stream = new TestStream(server);
    stream.send({ announcement: { workflows: ["w"] } });
    await stream.next();

    const message = await stream.next();

    expect(message?.turns.length).toBe(3);
    stream.end();
  });

  test("gives nothing that the worker did not announce", async () => {
    const server = await startServer();
    const stream = new TestStream(server);
    stream.send({ announcement: { workflows: ["w"] } });
    await stream.next();
    await server.engine.start({ workflow: "other" });
    await server.engine.start({ workflow: "w", instanceId: "a" });

    const message = await stream.next();

    expect(message?.turns.map((turn) => turn.workflow)).toEqual(["w"]);
    stream.end();
  });

  test("ends when the worker does", async () => {
    const server = await startServer();
    const stream = new TestStream(server);
    stream.send({ announcement: {} });
    await stream.next();
    expect(server.engine.workerCount()).toBe(1);

    stream.end();

    expect(await stream.next()).toBeUndefined();
    expect(server.engine.workerCount()).toBe(0);
  });

  test("ends with OK when the server stops", async () => {
    const server = await startServer();
    const stream = new TestStream(server);
    stream.send({ announcement: {} });
    await stream.next();

    const ended = stream.next();
    await server.close();

    expect(await ended).toBeUndefined();
    stream.end();
  });

  test.each<[string, Message]>([
    ["no announcement", { turns: [] }],
    ["a name over the limit", { announcement: { name: "x".repeat(257) } }],
  ])("refuses a first message with %s", async (_name, message) => {
    const server = await startServer();
    const stream = new TestStream(server);

    stream.send(message);
    const error = await stream.next().catch((reason: unknown) => ConnectError.from(reason));

    expect(error).toMatchObject({ code: Code.InvalidArgument });
    stream.end();
  });

  test("is refused over HTTP/1.1", async () => {
    const server = await startServer();

    const response = await fetch(`${server.url}/pawl.v1.WorkerService/Work`, {
      method: "POST",
      headers: { "content-type": "application/connect+json" },
    });

    expect(response.status).toBe(505);
  });
});
