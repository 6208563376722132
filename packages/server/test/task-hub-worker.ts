// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  OrchestrationStatus,
  TaskHubSidecarService,
  type WorkflowAction,
  WorkflowActionSchema,
} from "@pawl/protocol";
import type {
  ActivityRequest,
  WorkerCapability,
  WorkflowRequest,
  WorkItem,
} from "@pawl/protocol/task-hub";
import { afterEach } from "vitest";
import type { PawlServer } from "../src/index.js";

/** A client of the sidecar service, over gRPC unless a transport is given. */
export function taskHubClient(
  server: PawlServer,
  transport: Transport = createGrpcTransport({ baseUrl: server.url }),
): Client<typeof TaskHubSidecarService> {
  return createClient(TaskHubSidecarService, transport);
}

/** What a worker of a test does. */
export interface TestWorker {
  readonly capabilities?: WorkerCapability[];
  /** The actions of a turn. @default completes with "done" */
  turn?(request: WorkflowRequest): WorkflowAction[];
  /** The result of an activity as JSON text. @default null */
  activity?(request: ActivityRequest): string;
  /** Sees every item before it is worked on. */
  onItem?(item: WorkItem): void;
  /** Leaves the completion's token empty, as Dapr's JavaScript worker does. */
  readonly omitTokens?: boolean;
  /** How it connects. @default gRPC */
  readonly transport?: Transport;
}

/** A worker that was started. */
export interface StartedWorker {
  stop(): void;
  /** Resolves when its stream has ended; with the error that ended it, if any. */
  readonly ended: Promise<unknown>;
}

const started: StartedWorker[] = [];

afterEach(async () => {
  for (const worker of started) {
    worker.stop();
  }
  await Promise.all(started.splice(0).map((worker) => worker.ended));
});

/** Connects a worker of the sidecar service. Stopped after the test. */
export function startWorker(server: PawlServer, worker: TestWorker = {}): StartedWorker {
  const client = taskHubClient(server, worker.transport);
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    const { capabilities = [] } = worker;
    const items = client.getWorkItems({ capabilities }, { signal: stop.signal });
    for await (const item of items) {
      worker.onItem?.(item);
      await answer(client, worker, item);
    }
  };
  const ended = run().then(
    () => undefined,
    (error: unknown) => error,
  );
  const handle = { stop: () => stop.abort(), ended };
  started.push(handle);
  return handle;
}

async function answer(
  client: Client<typeof TaskHubSidecarService>,
  worker: TestWorker,
  item: WorkItem,
): Promise<void> {
  const completionToken = worker.omitTokens === true ? "" : item.completionToken;
  if (item.request.case === "workflowRequest") {
    const request = item.request.value;
    const actions = worker.turn?.(request) ?? [completed('"done"')];
    await client.completeOrchestratorTask({
      instanceId: request.instanceId,
      actions,
      completionToken,
    });
  } else if (item.request.case === "activityRequest") {
    const request = item.request.value;
    await client.completeActivityTask({
      instanceId: request.workflowInstance?.instanceId ?? "",
      taskId: request.taskId,
      result: worker.activity?.(request) ?? "null",
      completionToken,
    });
  }
}

/** The action that ends a workflow. */
export function completed(result: string): WorkflowAction {
  return create(WorkflowActionSchema, {
    id: 1000,
    workflowActionType: {
      case: "completeWorkflow",
      value: { workflowStatus: OrchestrationStatus.COMPLETED, result },
    },
  });
}

/** The action that schedules an activity. */
export function scheduled(id: number, name: string, input: string): WorkflowAction {
  return create(WorkflowActionSchema, {
    id,
    workflowActionType: {
      case: "scheduleTask",
      value: { name, input, taskExecutionId: `call-${id}` },
    },
  });
}

/** A workflow that calls the activity "double" with its input and ends with the result. */
export function oneActivity(request: WorkflowRequest): WorkflowAction[] {
  for (const event of request.newEvents) {
    const { eventType } = event;
    if (eventType.case === "executionStarted") {
      return [scheduled(0, "double", eventType.value.input ?? "null")];
    }
    if (eventType.case === "taskCompleted") {
      return [completed(eventType.value.result ?? "null")];
    }
  }
  return [];
}

/** The activity of `oneActivity`. */
export function double(request: ActivityRequest): string {
  return String(2 * Number(request.input));
}
