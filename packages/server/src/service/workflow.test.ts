// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import {
  historyEvent,
  InstanceOrder,
  InstanceStatus,
  toTimestamp,
  WorkflowService,
} from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { fakeEngine, fakeInstance } from "../../test/fake-engine.js";
import type { ServedEngine } from "../options.js";
import { createWorkflowService } from "./workflow.js";

type Call = readonly [string, ...unknown[]];

/** An engine that answers `answer` to everything, and what it was asked. */
function recordingEngine(answer: unknown): { engine: ServedEngine; calls: Call[] } {
  const calls: Call[] = [];
  const engine = fakeEngine();
  for (const name of Object.keys(engine)) {
    Object.defineProperty(engine, name, {
      value: async (...given: unknown[]) => {
        calls.push([name, ...given]);
        return answer;
      },
    });
  }
  return { engine, calls };
}

function clientOf(engine: ServedEngine): ReturnType<typeof createClient<typeof WorkflowService>> {
  const transport = createRouterTransport((router) => {
    router.service(WorkflowService, createWorkflowService(engine));
  });
  return createClient(WorkflowService, transport);
}

const traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const anySignal = expect.objectContaining({ signal: expect.any(AbortSignal) });

describe("WorkflowService", () => {
  test("starts an instance with every field", async () => {
    const { engine, calls } = recordingEngine({ instanceId: "a", executionId: "e" });

    const started = await clientOf(engine).startInstance({
      workflow: "w",
      instanceId: "a",
      input: "1",
      startAt: toTimestamp(1500),
      tags: { k: "v" },
      enforceUniqueInstanceId: true,
      traceParent,
      traceState: "a=b",
    });

    expect(started).toMatchObject({ instanceId: "a", executionId: "e" });
    const command = {
      workflow: "w",
      instanceId: "a",
      input: "1",
      startAt: 1500,
      tags: { k: "v" },
      enforceUniqueInstanceId: true,
      traceParent,
      traceState: "a=b",
    };
    expect(calls).toEqual([["start", command]]);
  });

  test("starts an instance with no more than a name", async () => {
    const { engine, calls } = recordingEngine({ instanceId: "a", executionId: "e" });

    await clientOf(engine).startInstance({ workflow: "w" });

    const command = { workflow: "w", tags: {}, enforceUniqueInstanceId: false };
    expect(calls).toEqual([["start", command]]);
  });

  test("waits with the caller's signal", async () => {
    const { engine, calls } = recordingEngine(fakeInstance({ status: "completed" }));
    const client = clientOf(engine);

    const { instance } = await client.waitForInstanceStart({ instanceId: "a" });
    await client.waitForInstanceCompletion({ instanceId: "a", omitPayloads: true });

    expect(instance?.status).toBe(InstanceStatus.COMPLETED);
    expect(calls).toEqual([
      ["waitForStart", "a", anySignal],
      ["waitForCompletion", "a", anySignal],
    ]);
    expect(calls.map(([, , options]) => options)).toMatchObject([
      { payloads: true },
      { payloads: false },
    ]);
  });

  test.each<[string, (client: ReturnType<typeof clientOf>) => Promise<unknown>, Call]>([
    [
      "raises an event",
      (client) => client.raiseEvent({ instanceId: "a", name: "e", input: "1" }),
      ["raiseEvent", "a", "e", "1"],
    ],
    [
      "suspends",
      (client) => client.suspendInstance({ instanceId: "a", reason: "r" }),
      ["suspend", "a", "r"],
    ],
    ["resumes", (client) => client.resumeInstance({ instanceId: "a" }), ["resume", "a", undefined]],
    [
      "terminates with children",
      (client) => client.terminateInstance({ instanceId: "a" }),
      ["terminate", "a", {}],
    ],
    [
      "terminates without children",
      (client) => client.terminateInstance({ instanceId: "a", output: "1", recursive: false }),
      ["terminate", "a", { output: "1", recursive: false }],
    ],
    [
      "purges",
      (client) => client.purgeInstance({ instanceId: "a", recursive: true }),
      ["purge", "a", { force: false, recursive: true }],
    ],
    [
      "reruns with every field",
      (client) =>
        client.rerunInstance({
          instanceId: "a",
          eventId: 3,
          newInstanceId: "b",
          input: "1",
          replaceInput: true,
          newChildInstanceId: "c",
        }),
      [
        "rerun",
        "a",
        { eventId: 3, newInstanceId: "b", replaceInput: { input: "1" }, newChildInstanceId: "c" },
      ],
    ],
    [
      "reruns with the input that there was",
      (client) => client.rerunInstance({ instanceId: "a", eventId: 0, input: "unused" }),
      ["rerun", "a", { eventId: 0, newInstanceId: "", newChildInstanceId: "" }],
    ],
    [
      "reruns without an input",
      (client) => client.rerunInstance({ instanceId: "a", eventId: 0, replaceInput: true }),
      ["rerun", "a", { eventId: 0, newInstanceId: "", replaceInput: {}, newChildInstanceId: "" }],
    ],
    [
      "purges by force",
      (client) => client.purgeInstance({ instanceId: "a", force: true }),
      ["purge", "a", { force: true }],
    ],
  ])("%s", async (_name, command, expected) => {
    const { engine, calls } = recordingEngine(2);

    await command(clientOf(engine));

    expect(calls).toEqual([expected]);
  });

  test("lists a page", async () => {
    const { engine, calls } = recordingEngine({
      instances: [fakeInstance()],
      nextPageToken: "next",
    });

    const page = await clientOf(engine).listInstances({
      pageSize: 5,
      pageToken: "t",
      statuses: [InstanceStatus.RUNNING],
      workflow: "w",
      instanceIdPrefix: "p",
      includePayloads: true,
    });

    expect(page).toMatchObject({ instances: [{ instanceId: "a" }], nextPageToken: "next" });
    const query = {
      payloads: true,
      pageSize: 5,
      pageToken: "t",
      statuses: ["running"],
      workflow: "w",
      instanceIdPrefix: "p",
    };
    expect(calls).toEqual([["list", query]]);
  });

  test("hands on every condition and order of a list", async () => {
    const { engine, calls } = recordingEngine({ instances: [] });
    const filter = {
      parentInstanceId: "p",
      tags: { team: "blue" },
      tagPrefixes: { order: "2026-" },
    };
    await clientOf(engine).listInstances({
      ...filter,
      createdFrom: toTimestamp(1),
      createdBefore: toTimestamp(2),
      updatedFrom: toTimestamp(3),
      updatedBefore: { seconds: 0n, nanos: 3_000_001 },
      orderBy: InstanceOrder.UPDATED,
      descending: true,
    });
    const instants = { createdFrom: 1, createdBefore: 2, updatedFrom: 3, updatedBefore: 4 };
    const order = { sortBy: "updated", descending: true };
    expect(calls).toEqual([["list", { ...filter, ...instants, ...order, payloads: false }]]);
  });

  test("reads an older execution, its history, and the list of all", async () => {
    const { engine, calls } = recordingEngine(fakeInstance());
    const client = clientOf(engine);
    await client.getInstance({ instanceId: "a", executionId: "e" });
    expect(calls).toEqual([["get", "a", { payloads: true, executionId: "e" }]]);

    const other = recordingEngine([]);
    await clientOf(other.engine).getInstanceHistory({ instanceId: "a", executionId: "e" });
    expect(other.calls).toEqual([["history", "a", { executionId: "e" }]]);

    const page = recordingEngine({ instances: [fakeInstance()], nextPageToken: "1" });
    const answer = await clientOf(page.engine).listInstanceExecutions({
      instanceId: "a",
      pageSize: 1,
      pageToken: "2",
      includePayloads: true,
    });
    expect(answer).toMatchObject({ executions: [{ instanceId: "a" }], nextPageToken: "1" });
    const query = { pageSize: 1, pageToken: "2", payloads: true };
    expect(page.calls).toEqual([["executions", "a", query]]);
  });

  test("reads a history", async () => {
    const event = historyEvent(-1, 0, { case: "workflowStarted", value: {} });
    const { engine } = recordingEngine([event]);

    const { events } = await clientOf(engine).getInstanceHistory({ instanceId: "a" });

    expect(events).toEqual([event]);
  });

  test("watches until the end", async () => {
    async function* states() {
      yield { instance: fakeInstance(), restarted: false, resumeToken: "1" };
      yield {
        instance: fakeInstance({ status: "completed" }),
        restarted: false,
        resumeToken: "2",
      };
    }
    const client = clientOf(fakeEngine({ watch: () => states() }));

    const seen: (InstanceStatus | undefined)[] = [];
    for await (const { instance } of client.watchInstance({ instanceId: "a" })) {
      seen.push(instance?.status);
    }

    expect(seen).toEqual([InstanceStatus.RUNNING, InstanceStatus.COMPLETED]);
  });

  test("does not find an unknown instance", async () => {
    const { engine } = recordingEngine(undefined);

    const call = clientOf(engine).getInstance({ instanceId: "a" });

    // The code comes from the interceptor, which this test leaves out.
    await expect(call).rejects.toSatisfy(
      (error) => ConnectError.from(error).code === Code.Internal,
    );
  });
});
