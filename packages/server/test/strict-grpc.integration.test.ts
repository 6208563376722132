// SPDX-License-Identifier: Apache-2.0

// What differs from Dapr over gRPC, one by one, without and with --strict-dapr (docs/rest.md).

import { create } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  Dapr,
  ErrorDetailSchema,
  OrchestrationStatus,
  type TaskHubSidecarService,
  type WorkflowAction,
  WorkflowActionSchema,
} from "@pawl/protocol";
import { WorkerCapability, type WorkflowRequest } from "@pawl/protocol/task-hub";
import { describe, expect, test } from "vitest";
import type { PawlServer } from "../src/index.js";
import { completed, scheduled, startWorker, taskHubClient } from "./task-hub-worker.js";
import { startServer } from "./test-server.js";

/** What a caller sees. */
interface Caller {
  readonly server: PawlServer;
  readonly dapr: Client<typeof Dapr>;
  readonly hub: Client<typeof TaskHubSidecarService>;
}

/** A failure as its caller sees it: code, message, and whether it has facts of Pawl's. */
async function failure(call: Promise<unknown>): Promise<[Code, string, boolean]> {
  const error = ConnectError.from(
    await call.then(
      () => undefined,
      (reason: unknown) => reason,
    ),
  );
  return [error.code, error.rawMessage, error.findDetails(ErrorDetailSchema).length > 0];
}

interface Deviation {
  readonly what: string;
  see(caller: Caller): Promise<unknown>;
  readonly plain: unknown;
  readonly strict: unknown;
}

const versionNotAvailable = create(WorkflowActionSchema, {
  workflowActionType: { case: "workflowVersionNotAvailable", value: {} },
});

const noInstance = "no such instance exists";
const running = "orchestration has not yet completed";

/** The sidecar's failures that Dapr has as plain errors, with status UNKNOWN. */
const plainErrors: Deviation[] = (
  [
    ["raiseEvent", noInstance],
    ["suspendInstance", noInstance],
    ["resumeInstance", noInstance],
    ["terminateInstance", `failed to submit termination request: ${noInstance}`],
  ] as const
).map(([method, text]) => ({
  what: `${method} of an unknown instance`,
  see: ({ hub }) => failure(hub[method]({ instanceId: "x", name: "e" })),
  plain: [Code.NotFound, text, true],
  strict: [Code.Unknown, text, false],
}));

const deviations: Deviation[] = [
  ...plainErrors,
  {
    what: "a purge of an unknown instance",
    see: ({ hub }) => purge(hub, "x"),
    plain: 0,
    strict: [Code.Unknown, `failed to purge workflow state: ${noInstance}`, false],
  },
  {
    what: "a purge of a running instance",
    see: async ({ server, hub }) => {
      await server.engine.start({ workflow: "w", instanceId: "a" });
      return purge(hub, "a");
    },
    plain: [Code.FailedPrecondition, `failed to purge workflow state: ${running}`, true],
    strict: [Code.Unknown, `failed to purge workflow state: ${running}`, false],
  },
  {
    what: "a purge by filter",
    see: async ({ hub }) => {
      const request = { case: "purgeInstanceFilter", value: {} } as const;
      const purged = hub.purgeInstances({ request });
      return purged.then(
        (answer) => answer.isComplete,
        () => failure(purged),
      );
    },
    plain: true,
    strict: [Code.Unknown, "multi-instance purge is not implemented", false],
  },
  {
    what: "a pending instance in GetWorkflow",
    see: async ({ server, dapr }) => {
      await server.engine.start({ workflow: "w", instanceId: "a", input: "1" });
      const shown = await dapr.getWorkflowBeta1({ instanceId: "a" });
      const isDated = (shown.createdAt?.seconds ?? 0n) > 0n;
      return [shown.workflowName, shown.runtimeStatus, Object.keys(shown.properties), isDated];
    },
    plain: ["w", "PENDING", ["dapr.workflow.input"], true],
    strict: ["", "PENDING", [], false],
  },
  {
    what: "a pending instance in GetInstance",
    see: async ({ server, hub }) => {
      await server.engine.start({ workflow: "w", instanceId: "a", input: "1" });
      const request = { instanceId: "a", getInputsAndOutputs: true };
      const { workflowState: shown } = await hub.getInstance(request);
      const isDated = [shown?.createdTimestamp, shown?.lastUpdatedTimestamp].map(
        (time) => (time?.seconds ?? 0n) > 0n,
      );
      return [shown?.instanceId, shown?.name, shown?.workflowStatus, shown?.input, isDated];
    },
    plain: ["a", "w", OrchestrationStatus.PENDING, "1", [true, true]],
    strict: ["a", "", OrchestrationStatus.PENDING, undefined, [false, false]],
  },
  {
    what: "a stalled instance in GetWorkflow",
    see: async ({ server, dapr }) => {
      startWorker(server, { turn: () => [versionNotAvailable] });
      await server.engine.start({ workflow: "w", instanceId: "a" });
      await server.engine.waitUntil("a", ({ status }) => status === "stalled");
      return (await dapr.getWorkflowBeta1({ instanceId: "a" })).runtimeStatus;
    },
    plain: "STALLED",
    strict: "UNKNOWN",
  },
  {
    what: "the facts of a failure of Dapr's own service",
    see: ({ dapr }) => failure(dapr.terminateWorkflowAlpha1({ instanceId: "x" })),
    plain: [Code.NotFound, "unable to find workflow with the provided instance ID: x", true],
    strict: [Code.NotFound, "unable to find workflow with the provided instance ID: x", false],
  },
  {
    what: "what GetInstance says of an instance beside what Dapr fills",
    see: async ({ server, hub }) => {
      startWorker(server, { turn: () => [completed("1")] });
      const tags = { team: "furniture" };
      await server.engine.start({ workflow: "w", instanceId: "a", tags, startAt: 1 });
      await server.engine.waitForCompletion("a");
      const { workflowState: shown } = await hub.getInstance({ instanceId: "a" });
      const { executionId, completedTimestamp, scheduledStartTimestamp } = shown ?? {};
      return [
        [executionId, completedTimestamp, scheduledStartTimestamp].map(
          (field) => field !== undefined,
        ),
        shown?.tags,
        // Dapr fills this since 1.18.
        shown?.startedAt !== undefined,
      ];
    },
    plain: [[true, true, true], { team: "furniture" }, true],
    strict: [[false, false, false], {}, true],
  },
  {
    what: "the end of the stream of a worker that announces what it can, when the server stops",
    see: (caller) => streamEnd(caller, [WorkerCapability.HEALTH_PING]),
    plain: "ok",
    strict: [Code.Canceled, "shutting down", false],
  },
  {
    what: "the end of the stream of any other worker, which may connect again after nothing but OK,",
    see: (caller) => streamEnd(caller, []),
    plain: "ok",
    strict: "ok",
  },
  {
    what: "an activity that the worker which gets it does not have",
    see: refusedActivity,
    plain: '"it ran"',
    strict: '"it failed"',
  },
];

/** How the stream of a worker ends with its server. */
async function streamEnd(
  { server, hub }: Caller,
  capabilities: WorkerCapability[],
): Promise<unknown> {
  const items = hub.getWorkItems({ capabilities });
  const ended = items[Symbol.asyncIterator]().next();
  ended.catch(() => {});
  await expect.poll(() => server.engine.workerCount(), { timeout: 20_000 }).toBe(2);
  await server.close();
  return ended.then(
    () => "ok",
    () => failure(ended),
  );
}

/** A workflow of one activity that says what became of it. */
function turn({ newEvents }: WorkflowRequest): WorkflowAction[] {
  const kinds = newEvents.map(({ eventType }) => eventType.case);
  if (kinds.includes("taskCompleted")) return [completed('"it ran"')];
  if (kinds.includes("taskFailed")) return [completed('"it failed"')];
  return [scheduled(0, "charge", "1")];
}

/** One worker refuses the activity, as Go's does, while another one is there that has it. */
async function refusedActivity({ server, hub }: Caller): Promise<string | undefined> {
  const abort = new AbortController();
  const refuse = async (): Promise<void> => {
    for await (const { request, completionToken } of hub.getWorkItems(
      {},
      { signal: abort.signal },
    )) {
      if (request.case === "workflowRequest") {
        const { instanceId } = request.value;
        await hub.completeWorkflowTask({
          instanceId,
          actions: turn(request.value),
          completionToken,
        });
      } else if (request.case === "activityRequest") {
        startWorker(server, { turn });
        await expect.poll(() => server.engine.workerCount(), { timeout: 20_000 }).toBe(3);
        const errorMessage = "no task activity named 'charge' was registered";
        const failureDetails = { errorType: "TaskActivityNotRegistered", errorMessage };
        const { workflowInstance: { instanceId = "" } = {}, taskId } = request.value;
        await hub.completeActivityTask({ instanceId, taskId, completionToken, failureDetails });
      }
    }
  };
  const ended = refuse().catch(() => {});
  await hub.startInstance({ instanceId: "a", name: "w" });
  const { workflowState } = await hub.waitForInstanceCompletion({
    instanceId: "a",
    getInputsAndOutputs: true,
  });
  abort.abort();
  await ended;
  return workflowState?.output;
}

async function purge(hub: Client<typeof TaskHubSidecarService>, id: string): Promise<unknown> {
  const purged = hub.purgeInstances({ request: { case: "instanceId", value: id } });
  return purged.then(
    (answer) => answer.deletedInstanceCount,
    () => failure(purged),
  );
}

async function callerOf(strictDapr: boolean): Promise<Caller> {
  const server = await startServer({ strictDapr });
  // Without any worker Dapr does not get as far (strict-waits.integration.test.ts).
  server.engine.connectWorker({ name: "idle", workflows: [], activities: [] }, () => {});
  const dapr = createClient(Dapr, createGrpcTransport({ baseUrl: server.url }));
  return { server, dapr, hub: taskHubClient(server) };
}

describe.each(deviations)("$what", ({ see, plain, strict }) => {
  test("is answered better than by Dapr", async () => {
    expect(await see(await callerOf(false))).toEqual(plain);
  });

  test("is answered as by Dapr with strictDapr", async () => {
    expect(await see(await callerOf(true))).toEqual(strict);
  });
});

/** The fields of a google.rpc.ErrorInfo: reason, domain, and the metadata. */
function errorInfoOf(error: ConnectError): Record<string, string> {
  const detail = error.details.find(
    (each) => "type" in each && each.type === "google.rpc.ErrorInfo",
  );
  const fields: Record<string, string> = {};
  if (detail === undefined || !("type" in detail)) return fields;
  const reader = new BinaryReader(detail.value);
  while (reader.pos < reader.len) {
    const [number] = reader.tag();
    if (number < 3) fields[number === 1 ? "reason" : "domain"] = reader.string();
    else {
      const entry = new BinaryReader(reader.bytes());
      entry.tag();
      const key = entry.string();
      entry.tag();
      fields[key] = entry.string();
    }
  }
  return fields;
}

describe.each([false, true])("a call without a known token, strictDapr %s", (strictDapr) => {
  test.each([
    [{}, "missing api token in request metadata"],
    [{ "dapr-api-token": "wrong" }, "authentication error: api token mismatch"],
  ])("says so as Dapr does, with headers %j", async (headers, text) => {
    const server = await startServer({ strictDapr, apiToken: "right" });
    const dapr = createClient(Dapr, createGrpcTransport({ baseUrl: server.url }));
    const calls = [
      dapr.getWorkflowBeta1({ instanceId: "a" }, { headers }),
      taskHubClient(server).hello({}, { headers }),
    ];
    for (const call of calls) {
      const error = ConnectError.from(
        await call.then(
          () => undefined,
          (reason: unknown) => reason,
        ),
      );
      expect(error.code).toBe(Code.Unauthenticated);
      expect(errorInfoOf(error)).toEqual({
        reason: "Unauthorized",
        domain: "dapr.io",
        "http.code": "401",
        "http.error_message": text,
      });
      expect(error.rawMessage === "Unauthorized").toBe(strictDapr);
      expect(error.findDetails(ErrorDetailSchema)).toHaveLength(strictDapr ? 0 : 1);
    }
  });
});
