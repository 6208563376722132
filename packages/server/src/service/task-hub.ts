// SPDX-License-Identifier: Apache-2.0

import type { ServiceImpl } from "@connectrpc/connect";
import {
  EngineError,
  type Instance,
  isEngineError,
  type ManagementPort,
  type WaitOptions,
  type WaitPort,
  type WorkerPort,
} from "@pawl/engine";
import type { TaskHubSidecarService } from "@pawl/protocol";
import { fromTimestamp } from "@pawl/protocol";
import type {
  CreateInstanceRequest,
  GetInstanceRequest,
  ListInstanceIDsRequest,
  RerunWorkflowFromEventRequest,
} from "@pawl/protocol/task-hub";
import type { CallRules, RuledCommand } from "../dapr/call-rules.js";
import type { ServerLogger } from "../options.js";
import { type CallerTrace, traceOfCall } from "../tracing/caller-trace.js";
import { fromActivityResponse, fromWorkflowResponse } from "./message/completion.js";
import { toWorkflowState } from "./message/workflow-state.js";
import { inDaprWords } from "./task-hub-error.js";
import { purgeInstances } from "./task-hub-purge.js";
import { streamWorkItems } from "./work-items.js";

/** Statuses after which a control verb has nothing more to wait for; a stalled instance may never go on. */
const settled: ReadonlySet<string> = new Set(["completed", "failed", "terminated", "stalled"]);

/** Instances of one page when a caller wants all of them. */
const pageSize = 1000;

/** How the sidecar service is served. */
export interface TaskHubOptions {
  readonly log: ServerLogger;
  /** What its calls wait for. */
  readonly rules: CallRules;
  /** No better than Dapr where Pawl has a choice (docs/workers.md). */
  readonly strict: boolean;
}

/**
 * The Durable Task sidecar service, as the workers and clients of Dapr's SDKs call it. Its calls
 * wait where Dapr's wait (engine semantics 2.3.7, 2.4.6) and fail in Dapr's words, which some SDKs look for.
 */
export function createTaskHubService(
  engine: ManagementPort & WorkerPort & WaitPort,
  options: TaskHubOptions,
): ServiceImpl<typeof TaskHubSidecarService> {
  const { rules, strict } = options;
  return {
    ...workerMethods(engine, options),
    ...controlMethods(engine, options),
    ...readMethods(engine, strict),
    async startInstance(request, context) {
      const trace = traceOfCall(context, request.parentTraceContext);
      const call = { engine, caller: context, payloadBytes: request.input?.length ?? 0 };
      const instanceId = await inDaprWords("failed to create workflow instance: ", () =>
        rules.start(call, () => startInstance(engine, request, trace)),
      );
      if (request.scheduledStartTimestamp === undefined) {
        await engine.waitForStart(instanceId, { payloads: false, signal: context.signal });
      }
      return { instanceId };
    },
    async rerunWorkflowFromEvent(request, caller) {
      const newInstanceID = await rules.command({ engine, caller }, () => rerun(engine, request));
      await engine.waitForStart(newInstanceID, { payloads: false, signal: caller.signal });
      return { newInstanceID };
    },
  };
}

type Methods<Name extends keyof ServiceImpl<typeof TaskHubSidecarService>> = Pick<
  ServiceImpl<typeof TaskHubSidecarService>,
  Name
>;

function workerMethods(
  engine: WorkerPort,
  { log, strict }: TaskHubOptions,
): Methods<
  | "hello"
  | "getWorkItems"
  | "completeActivityTask"
  | "completeOrchestratorTask"
  | "completeWorkflowTask"
> {
  return {
    hello: () => ({}),
    getWorkItems: (request, context) => streamWorkItems(engine, request, context, { log, strict }),
    async completeActivityTask(response) {
      await engine.completeActivity(fromActivityResponse(response, strict));
      return {};
    },
    async completeOrchestratorTask(response) {
      await engine.completeTurn(fromWorkflowResponse(response, strict));
      return {};
    },
    async completeWorkflowTask(response) {
      await engine.completeTurn(fromWorkflowResponse(response, strict));
      return {};
    },
  };
}

function controlMethods(
  engine: ManagementPort & WorkerPort & WaitPort,
  { rules, strict }: TaskHubOptions,
): Methods<
  "raiseEvent" | "terminateInstance" | "suspendInstance" | "resumeInstance" | "purgeInstances"
> {
  const command = (
    call: Omit<RuledCommand, "engine">,
    run: () => Promise<void>,
    prefix = "",
  ): Promise<void> =>
    inDaprWords(prefix, () => rules.command({ engine, ...call }, run), { strict });
  return {
    async raiseEvent({ instanceId, name, input }, caller) {
      const call = { caller, payloadBytes: input?.length ?? 0, unstalled: instanceId };
      await command(call, () => engine.raiseEvent(instanceId, name, input));
      return {};
    },
    async terminateInstance({ instanceId, output, recursive }, caller) {
      const options = { recursive, ...(output === undefined ? {} : { output }) };
      const terminate = () => engine.terminate(instanceId, options);
      await command({ caller }, terminate, "failed to submit termination request: ");
      await engine.waitUntil(instanceId, isSettled, { payloads: false, signal: caller.signal });
      return {};
    },
    async suspendInstance({ instanceId, reason }, caller) {
      await command({ caller }, () => engine.suspend(instanceId, reason));
      await engine.waitUntil(
        instanceId,
        (instance) => instance.status === "suspended" || isSettled(instance),
        { payloads: false, signal: caller.signal },
      );
      return {};
    },
    async resumeInstance({ instanceId, reason }, caller) {
      await command({ caller }, () => engine.resume(instanceId, reason));
      await engine.waitUntil(
        instanceId,
        (instance) => instance.status === "running" || isSettled(instance),
        { payloads: false, signal: caller.signal },
      );
      return {};
    },
    async purgeInstances(request, caller) {
      return purgeInstances(engine, request, { caller, rules, strict });
    },
  };
}

function readMethods(
  engine: ManagementPort,
  strict: boolean,
): Methods<
  | "getInstance"
  | "waitForInstanceStart"
  | "waitForInstanceCompletion"
  | "listInstanceIDs"
  | "getInstanceHistory"
> {
  return {
    async getInstance({ instanceId, getInputsAndOutputs }) {
      const instance = await engine.get(instanceId, { payloads: getInputsAndOutputs });
      return instance === undefined
        ? { exists: false }
        : { exists: true, workflowState: toWorkflowState(instance, strict) };
    },
    async waitForInstanceStart(request, { signal }) {
      const instance = await engine.waitForStart(request.instanceId, waitOptions(request, signal));
      return { exists: true, workflowState: toWorkflowState(instance, strict) };
    },
    async waitForInstanceCompletion(request, { signal }) {
      const options = waitOptions(request, signal);
      const instance = await engine.waitForCompletion(request.instanceId, options);
      return { exists: true, workflowState: toWorkflowState(instance, strict) };
    },
    listInstanceIDs: (request) => listInstanceIds(engine, request),
    async getInstanceHistory({ instanceId }) {
      return { events: await readHistory(engine, instanceId) };
    },
  };
}

function isSettled(instance: Instance): boolean {
  return settled.has(instance.status);
}

function waitOptions(request: GetInstanceRequest, signal: AbortSignal): WaitOptions {
  return { payloads: request.getInputsAndOutputs, signal };
}

async function startInstance(
  engine: ManagementPort,
  request: CreateInstanceRequest,
  trace: CallerTrace,
): Promise<string> {
  const { instanceId, input, scheduledStartTimestamp: startAt } = request;
  const enforceUniqueInstanceId = request.enforceUniqueInstanceId;
  const started = await engine.start({
    workflow: request.name,
    tags: request.tags,
    enforceUniqueInstanceId,
    ...(instanceId === "" ? {} : { instanceId }),
    ...(input === undefined ? {} : { input }),
    ...(startAt === undefined ? {} : { startAt: fromTimestamp(startAt) }),
    ...trace,
  });
  return started.instanceId;
}

/** One that has not ended is, to Dapr, an argument that is wrong. */
async function rerun(
  engine: ManagementPort,
  request: RerunWorkflowFromEventRequest,
): Promise<string> {
  const { sourceInstanceID: source, eventID: eventId, input, overwriteInput } = request;
  const { newInstanceID: newInstanceId, newChildWorkflowInstanceID: newChildInstanceId } = request;
  const rerunning = engine.rerun(source, {
    eventId,
    ...(newInstanceId === undefined ? {} : { newInstanceId }),
    ...(newChildInstanceId === undefined ? {} : { newChildInstanceId }),
    ...(overwriteInput ? { replaceInput: input === undefined ? {} : { input } } : {}),
  });
  try {
    return (await rerunning).instanceId;
  } catch (error) {
    if (!isEngineError(error) || error.code !== "INSTANCE_NOT_ENDED") {
      throw error;
    }
    const { message, details } = error;
    throw new EngineError("INVALID_ARGUMENT", message, { details, cause: error });
  }
}

/** Exactly the committed events: a worker that lost its cache takes them as the past. */
async function readHistory(
  engine: ManagementPort,
  instanceId: string,
): ReturnType<ManagementPort["history"]> {
  const words = { INSTANCE_NOT_FOUND: `workflow instance '${instanceId}' not found` };
  return inDaprWords("", () => engine.history(instanceId), { words });
}

async function listInstanceIds(
  engine: ManagementPort,
  request: ListInstanceIDsRequest,
): Promise<{ instanceIds: string[]; continuationToken?: string }> {
  const wanted = request.pageSize ?? Number.POSITIVE_INFINITY;
  const instanceIds: string[] = [];
  let pageToken = request.continuationToken;
  do {
    const page = await engine.list({
      payloads: false,
      pageSize: Math.max(1, Math.min(pageSize, wanted - instanceIds.length)),
      ...(pageToken === undefined || pageToken === "" ? {} : { pageToken }),
    });
    instanceIds.push(...page.instances.map((instance) => instance.instanceId));
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined && instanceIds.length < wanted);
  return pageToken === undefined ? { instanceIds } : { instanceIds, continuationToken: pageToken };
}
