// SPDX-License-Identifier: Apache-2.0

// What Microsoft's Durable Task SDKs put on the wire under numbers that mean something else to Dapr's.

import { connect } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { HistoryPropagationScope, toEnvelope, WorkflowActionSchema } from "@pawl/protocol";
import {
  ActivityResponseSchema,
  CreateInstanceRequestSchema,
  PurgeInstancesRequestSchema,
  PurgeInstancesResponseSchema,
  type WorkItem,
  WorkItemSchema,
} from "@pawl/protocol/task-hub";
import { afterEach, expect, test } from "vitest";
import type { PawlServer } from "../src/index.js";
import { taskHubClient } from "./task-hub-worker.js";
import { startServer } from "./test-server.js";

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

const len = WireType.LengthDelimited;

/** An instant, which no text is. */
function timestamp(): Uint8Array {
  return new BinaryWriter().tag(1, WireType.Varint).int64(1_790_000_000n).finish();
}

function tags(): Uint8Array {
  return new BinaryWriter().tag(1, len).string("key").tag(2, len).string("value").finish();
}

function append(message: Uint8Array, field: number, content: Uint8Array): Uint8Array {
  return new BinaryWriter().raw(message).tag(field, len).bytes(content).finish();
}

/** Makes gRPC calls of bytes. */
function connectTo(server: PawlServer): {
  call(method: string, message: Uint8Array): Promise<{ status: string; reply: Uint8Array }>;
  work(request: Uint8Array, userAgent: string): AsyncIterator<WorkItem>;
} {
  const session = connect(server.url);
  open.push(() => session.destroy());
  const request = (method: string, message: Uint8Array, userAgent = "test") => {
    const stream = session.request({
      ":method": "POST",
      ":path": `/TaskHubSidecarService/${method}`,
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": userAgent,
    });
    stream.end(toEnvelope(message));
    return stream;
  };
  return {
    async call(method, message) {
      const stream = request(method, message);
      let status = "";
      const note = (headers: Record<string, unknown>): void => {
        status = `${headers["grpc-status"] ?? status}`;
      };
      stream.on("trailers", note).on("response", note);
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      return { status, reply: Buffer.concat(chunks).subarray(5) };
    },
    async *work(message, userAgent) {
      let bytes = Buffer.alloc(0);
      for await (const chunk of request("GetWorkItems", message, userAgent)) {
        bytes = Buffer.concat([bytes, chunk]);
        while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt32BE(1)) {
          const end = 5 + bytes.readUInt32BE(1);
          yield fromBinary(WorkItemSchema, bytes.subarray(5, end));
          bytes = bytes.subarray(end);
        }
      }
    },
  };
}

async function nextItem(items: AsyncIterator<WorkItem>): Promise<WorkItem> {
  const { value } = await items.next();
  return value;
}

/** A worker's answer with one action, and the trace context that Microsoft's has in the version's place. */
function answer(instanceId: string, token: string, action: Uint8Array): Uint8Array {
  const spanId = new BinaryWriter().tag(1, len).string("b7ad6b7169203331").finish();
  const trace = new BinaryWriter().tag(1, len).bytes(spanId).tag(2, len).bytes(timestamp());
  const writer = new BinaryWriter().tag(1, len).string(instanceId).tag(2, len).bytes(action);
  return writer.tag(4, len).string(token).tag(6, len).bytes(trace.finish()).finish();
}

/** A start that never waits for its worker, as Microsoft's clients send it. */
function startOf(instanceId: string, name: string): Uint8Array {
  const scheduledStartTimestamp = { seconds: 0n, nanos: 0 };
  const start = create(CreateInstanceRequestSchema, { instanceId, name, scheduledStartTimestamp });
  return append(toBinary(CreateInstanceRequestSchema, start), 10, timestamp());
}

test("is not sent the history of those above, whose number means something else", async () => {
  const server = await startServer();
  const { work } = connectTo(server);
  const { engine } = server;
  const asked = create(WorkflowActionSchema, {
    workflowActionType: {
      case: "createChildWorkflow",
      value: { name: "child", historyPropagationScope: HistoryPropagationScope.LINEAGE },
    },
  });
  await engine.start({ workflow: "parent", instanceId: "p" });
  await new Promise<void>((resolve, reject) => {
    engine.connectWorker({ name: "parent", workflows: ["parent"] }, ({ instanceId, token }) => {
      engine.completeTurn({ instanceId, token, actions: [asked] }).then(resolve, reject);
    });
  });
  const { request } = await nextItem(work(new Uint8Array(), "durabletask-js/0.4.0"));
  expect(request.value).toMatchObject({ instanceId: "p:0000" });
  expect(request.value).not.toHaveProperty("propagatedHistory");
});

test("a start with a time of request is a start", async () => {
  const server = await startServer();
  const { call } = connectTo(server);
  expect((await call("StartInstance", startOf("a", "order"))).status).toBe("0");
  const { workflowState } = await taskHubClient(server).getInstance({ instanceId: "a" });
  expect(workflowState).toMatchObject({ instanceId: "a", name: "order" });
  // It says nothing of unique ids: one that has ended may be used again.
  await taskHubClient(server).terminateInstance({ instanceId: "a" });
  expect((await call("StartInstance", startOf("a", "order"))).status).toBe("0");
});

test("a purge that says what it purges is a purge", async () => {
  const server = await startServer();
  const { call } = connectTo(server);
  await call("StartInstance", startOf("a", "order"));
  await taskHubClient(server).terminateInstance({ instanceId: "a" });
  const purge = toBinary(
    PurgeInstancesRequestSchema,
    create(PurgeInstancesRequestSchema, { request: { case: "instanceId", value: "a" } }),
  );
  const bytes = new BinaryWriter().raw(purge).tag(5, WireType.Varint).bool(true).finish();
  const { status, reply } = await call("PurgeInstances", bytes);
  expect(status).toBe("0");
  expect(fromBinary(PurgeInstancesResponseSchema, reply).deletedInstanceCount).toBe(1);
});

test("a worker's trace contexts and tags are no versions, execution ids and scopes", async () => {
  const server = await startServer();
  const { call, work } = connectTo(server);
  const limits = new BinaryWriter().tag(1, WireType.Varint).int32(10).tag(2, WireType.Varint);
  const items = work(limits.int32(10).finish(), "grpc-python/1.85.1");
  await call("StartInstance", startOf("a", "order"));
  const turn = await nextItem(items);
  const trace = new BinaryWriter().tag(1, len).string("00-0af7-b7ad-01").finish();
  const task = new BinaryWriter().tag(1, len).string("charge").tag(5, len).bytes(trace).finish();
  const schedule = new BinaryWriter().tag(2, len).bytes(task).finish();
  expect(
    (await call("CompleteOrchestratorTask", answer("a", turn.completionToken, schedule))).status,
  ).toBe("0");

  const activity = await nextItem(items);
  expect(activity.request.value).toMatchObject({ name: "charge", taskExecutionId: "" });
  const result = create(ActivityResponseSchema, {
    instanceId: "a",
    taskId: 0,
    completionToken: activity.completionToken,
  });
  await call("CompleteActivityTask", toBinary(ActivityResponseSchema, result));
  const next = await nextItem(items);
  const child = new BinaryWriter().tag(1, len).string("a-child").tag(2, len).string("ship");
  const create_ = new BinaryWriter()
    .tag(1, WireType.Varint)
    .int32(1)
    .tag(3, len)
    .bytes(child.tag(6, len).bytes(tags()).finish())
    .finish();
  await call("CompleteOrchestratorTask", answer("a", next.completionToken, create_));
  const { events } = await taskHubClient(server).getInstanceHistory({ instanceId: "a" });
  const [version, scheduled, created] = [
    events.find(({ eventType }) => eventType.case === "workflowStarted"),
    events.find(({ eventType }) => eventType.case === "taskScheduled"),
    events.find(({ eventType }) => eventType.case === "childWorkflowInstanceCreated"),
  ];
  expect(version?.eventType.value).not.toHaveProperty("version");
  expect(scheduled?.eventType.value).toMatchObject({ name: "charge", taskExecutionId: "" });
  expect(created?.eventType.value).toMatchObject({ instanceId: "a-child", name: "ship" });
});

test("a worker's filters are the names that it is given work of", async () => {
  const server = await startServer();
  const { call, work } = connectTo(server);
  const name = new BinaryWriter().tag(1, len).string("mine").finish();
  const filters = new BinaryWriter().tag(1, len).bytes(name).finish();
  const items = work(append(new Uint8Array(), 11, filters), "durabletask-js grpc-node-js/1.14");
  await call("StartInstance", startOf("a", "other"));
  await call("StartInstance", startOf("b", "mine"));
  expect((await nextItem(items)).request.value).toMatchObject({ instanceId: "b" });
});

test("bytes that are no message are refused, and the next call is served", async () => {
  const server = await startServer();
  const { call } = connectTo(server);
  const broken = new Uint8Array([0x0a, 0xff, 0xff]);
  expect((await call("StartInstance", broken)).status).toBe("3");
  expect(new BinaryReader((await call("StartInstance", startOf("a", "order"))).reply).len).toBe(3);
});
