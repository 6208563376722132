// SPDX-License-Identifier: Apache-2.0

import {
  createClient as createRpcClient,
  type Client as RpcClient,
  type Transport,
} from "@connectrpc/connect";
import {
  fromTimestamp,
  type Instance as InstanceMessage,
  InstanceOrder,
  StallCode as StallCodeNumber,
  toNearestTimestamp,
  type WatchInstancesResponse,
  WorkflowService,
} from "@pawl/protocol";
import { statusOf, toFilterMessage } from "@pawl/protocol/message";
import { fromFailureMessage } from "../failure.js";
import type {
  FeedRecord,
  InstanceFilter,
  InstanceRecord,
  ListQuery,
  ManagementPort,
  PortWaitOptions,
  ReadOptions,
  StallCode,
  StartCommand,
  WatchAllOptions,
} from "../port.js";
import { createRemoteBatches } from "./batches.js";
import { fromWorkerMessage } from "./connected-worker.js";
import { fromExplanationMessage } from "./explanation.js";
import { resuming } from "./resuming.js";
import { asked, toPawlError } from "./rpc-error.js";

const stallCodes: ReadonlyMap<StallCodeNumber, StallCode> = new Map([
  [StallCodeNumber.PATCH_MISMATCH, "PATCH_MISMATCH"],
  [StallCodeNumber.VERSION_NOT_AVAILABLE, "VERSION_NOT_AVAILABLE"],
  [StallCodeNumber.PAYLOAD_SIZE_EXCEEDED, "PAYLOAD_SIZE_EXCEEDED"],
]);

type Service = RpcClient<typeof WorkflowService>;

/** What reads executions of one id. */
function executionMethods(service: Service): Pick<ManagementPort, "executions" | "history"> {
  return {
    async executions(instanceId, { payloads, ...query } = {}) {
      const request = { instanceId, includePayloads: payloads !== false, ...query };
      const page = await asked(service.listInstanceExecutions(request));
      return {
        instances: page.executions.map(toRecord),
        ...(page.nextPageToken === "" ? {} : { nextPageToken: page.nextPageToken }),
      };
    },
    async history(instanceId, options) {
      return (await asked(service.getInstanceHistory({ instanceId, ...options }))).events;
    },
  };
}

/** What an instance is told to do. */
function controlMethods(
  service: Service,
): Pick<ManagementPort, "raiseEvent" | "suspend" | "resume" | "terminate" | "purge" | "rerun"> {
  return {
    async raiseEvent(instanceId, name, input) {
      await asked(service.raiseEvent({ instanceId, name, ...given({ input }) }));
    },
    async suspend(instanceId, reason) {
      await asked(service.suspendInstance({ instanceId, ...given({ reason }) }));
    },
    async resume(instanceId, reason) {
      await asked(service.resumeInstance({ instanceId, ...given({ reason }) }));
    },
    async terminate(instanceId, options = {}) {
      await asked(service.terminateInstance({ instanceId, ...options }));
    },
    async purge(instanceId, options = {}) {
      return (await asked(service.purgeInstance({ instanceId, ...options }))).purgedCount;
    },
    async rerun(instanceId, { replaceInput, ...command }) {
      const replaced = replaceInput && { ...replaceInput, replaceInput: true };
      const request = { instanceId, ...command, ...replaced };
      const answer = await asked(service.rerunInstance(request));
      return { instanceId: answer.instanceId, executionId: answer.executionId };
    },
  };
}

/** What streams changes. */
function watchMethods(service: Service): Pick<ManagementPort, "watch" | "watchAll"> {
  return {
    watch(instanceId, options = {}) {
      const { history = false } = options;
      const request = { instanceId, ...omission(options), includeHistory: history };
      return resuming(options, async function* (resumeToken) {
        const given = { ...request, resumeToken };
        for await (const state of service.watchInstance(given, callOptions(options))) {
          const { events, restarted, resumeToken: next } = state;
          const change = { instance: requireInstance(state), restarted, resumeToken: next };
          yield history ? { ...change, events } : change;
        }
      });
    },
    watchAll(filter = {}, options = {}) {
      const request = watchRequest(filter, options);
      return resuming(options, async function* (resumeToken) {
        const given = { ...request, resumeToken };
        for await (const answer of service.watchInstances(given, callOptions(options))) {
          const item = toFeedRecord(answer);
          if (item !== undefined) yield item;
        }
      });
    },
  };
}

/** The management port of a server, over WorkflowService. Rejects with `PawlError`. */
export function createRemoteManagement(transport: Transport): ManagementPort {
  const service = createRpcClient(WorkflowService, transport);
  return {
    ...createRemoteBatches(transport),
    async start(command) {
      const { instanceId, executionId } = await asked(service.startInstance(startRequest(command)));
      return { instanceId, executionId };
    },
    async get(instanceId, options) {
      try {
        const { executionId = "" } = options ?? {};
        const request = { instanceId, executionId, ...omission(options) };
        return requireInstance(await asked(service.getInstance(request)));
      } catch (error) {
        if (toPawlError(error).code === "INSTANCE_NOT_FOUND") return undefined;
        throw error;
      }
    },
    async waitForStart(instanceId, options) {
      const request = { instanceId, ...omission(options) };
      return requireInstance(
        await asked(service.waitForInstanceStart(request, callOptions(options))),
      );
    },
    async waitForCompletion(instanceId, options) {
      const request = { instanceId, ...omission(options) };
      return requireInstance(
        await asked(service.waitForInstanceCompletion(request, callOptions(options))),
      );
    },
    ...controlMethods(service),
    async list(query = {}) {
      const page = await asked(service.listInstances(listRequest(query)));
      return {
        instances: page.instances.map(toRecord),
        ...(page.nextPageToken === "" ? {} : { nextPageToken: page.nextPageToken }),
      };
    },
    async workers() {
      return (await asked(service.listWorkers({}))).workers.map(fromWorkerMessage);
    },
    async explain(instanceId) {
      const { explanation } = await asked(service.explainInstance({ instanceId }));
      if (explanation === undefined) throw toPawlError(new Error("an answer has no explanation"));
      return fromExplanationMessage(explanation, toRecord);
    },
    ...executionMethods(service),
    ...watchMethods(service),
  };
}

function omission(options: ReadOptions = {}): { omitPayloads: boolean } {
  return { omitPayloads: options.payloads === false };
}

function callOptions({ signal }: PortWaitOptions = {}): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** Leaves out what is undefined. */
function given<K extends string>(fields: Record<K, string | undefined>): { [key in K]?: string } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [key in K]?: string };
}

function startRequest(command: StartCommand) {
  const { startAt, tags, ...rest } = command;
  return {
    ...rest,
    ...(startAt === undefined ? {} : { startAt: toNearestTimestamp(startAt) }),
    ...(tags === undefined ? {} : { tags: { ...tags } }),
  };
}

const orders = {
  id: InstanceOrder.ID,
  created: InstanceOrder.CREATED,
  updated: InstanceOrder.UPDATED,
} as const;

function listRequest({ payloads, pageSize, pageToken, sortBy, descending, ...filter }: ListQuery) {
  return {
    ...toFilterMessage(filter),
    includePayloads: payloads !== false,
    ...(pageSize === undefined ? {} : { pageSize }),
    ...(pageToken === undefined ? {} : { pageToken }),
    ...(sortBy === undefined ? {} : { orderBy: orders[sortBy] }),
    ...(descending === undefined ? {} : { descending }),
  };
}

function watchRequest(filter: InstanceFilter, options: WatchAllOptions) {
  return {
    ...toFilterMessage(filter),
    existing: options.existing ?? false,
    includePayloads: options.payloads !== false,
  };
}

/** Undefined for a kind that a newer server sends. */
function toFeedRecord({ change, resumeToken }: WatchInstancesResponse): FeedRecord | undefined {
  switch (change.case) {
    case "changed":
      return { kind: "changed", instance: toRecord(change.value), resumeToken };
    case "purgedInstanceId":
      return { kind: "purged", instanceId: change.value, resumeToken };
    case "resynced":
    case "caughtUp":
      return { kind: change.case, resumeToken };
    default:
      return undefined;
  }
}

function requireInstance(answer: {
  readonly instance?: InstanceMessage | undefined;
}): InstanceRecord {
  if (answer.instance === undefined) throw toPawlError(new Error("an answer has no instance"));
  return toRecord(answer.instance);
}

function toRecord(message: InstanceMessage): InstanceRecord {
  const { createdAt, updatedAt, startedAt, completedAt, startAt, failure } = message;
  const stallCode = stallCodes.get(message.stallCode);
  return {
    instanceId: message.instanceId,
    workflow: message.workflow,
    status: statusOf(message.status) ?? "pending",
    executionId: message.executionId,
    generation: message.generation,
    createdAt: createdAt === undefined ? 0 : fromTimestamp(createdAt),
    updatedAt: updatedAt === undefined ? 0 : fromTimestamp(updatedAt),
    tags: message.tags,
    historyLength: message.historyLength,
    ...(startedAt === undefined ? {} : { startedAt: fromTimestamp(startedAt) }),
    ...(completedAt === undefined ? {} : { completedAt: fromTimestamp(completedAt) }),
    ...(startAt === undefined ? {} : { startAt: fromTimestamp(startAt) }),
    ...given({
      input: message.input,
      output: message.output,
      customStatus: message.customStatus,
      parentInstanceId: message.parentInstanceId || undefined,
      version: message.version || undefined,
      stallReason: message.stallReason || undefined,
    }),
    ...(stallCode === undefined ? {} : { stallCode }),
    ...(failure === undefined ? {} : { failure: fromFailureMessage(failure) }),
  };
}
