// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { EngineError, type FeedItem, type Instance, type ManagementPort } from "@pawl/engine";
import {
  fromTimestamp,
  InstanceSchema,
  type WatchInstancesResponse,
  type WorkflowService,
} from "@pawl/protocol";
import { traceOfCall } from "../tracing/caller-trace.js";
import { toWorkerMessage } from "./message/connected-worker.js";
import { toExplanationMessage } from "./message/explanation.js";
import { toInstanceMessage } from "./message/instance.js";
import { toFilter, toQuery } from "./message/query.js";

type Methods = ServiceImpl<typeof WorkflowService>;

/** `pawl.v1.WorkflowService`: each method is one call of the management port. */
export function createWorkflowService(engine: ManagementPort): Methods {
  return {
    async startInstance(request, context) {
      const { instanceId, input, startAt } = request;
      return engine.start({
        workflow: request.workflow,
        tags: request.tags,
        enforceUniqueInstanceId: request.enforceUniqueInstanceId,
        ...(instanceId === "" ? {} : { instanceId }),
        ...(input === undefined ? {} : { input }),
        ...(startAt === undefined ? {} : { startAt: fromTimestamp(startAt) }),
        ...traceOfCall(context, request),
      });
    },
    async getInstance({ instanceId, omitPayloads, executionId }) {
      const options = { payloads: !omitPayloads, executionId };
      const instance = await engine.get(instanceId, options);
      if (instance === undefined) {
        throw new EngineError("INSTANCE_NOT_FOUND", `no instance has the id "${instanceId}"`, {
          details: { instanceId },
        });
      }
      return { instance: toInstanceMessage(instance) };
    },
    async waitForInstanceStart({ instanceId, omitPayloads }, { signal }) {
      return reply(await engine.waitForStart(instanceId, { payloads: !omitPayloads, signal }));
    },
    async waitForInstanceCompletion({ instanceId, omitPayloads }, { signal }) {
      return reply(await engine.waitForCompletion(instanceId, { payloads: !omitPayloads, signal }));
    },
    ...controlMethods(engine),
    async listInstances(request) {
      const { instances, nextPageToken } = await engine.list(toQuery(request));
      return { instances: instances.map(toInstanceMessage), nextPageToken: nextPageToken ?? "" };
    },
    async listWorkers() {
      return { workers: (await engine.workers()).map(toWorkerMessage) };
    },
    async explainInstance({ instanceId }) {
      return { explanation: toExplanationMessage(await engine.explain(instanceId)) };
    },
    ...executionMethods(engine),
    ...watchMethods(engine),
  };
}

function reply(instance: Instance): { instance: ReturnType<typeof toInstanceMessage> } {
  return { instance: toInstanceMessage(instance) };
}

function toChange(item: FeedItem): WatchInstancesResponse["change"] {
  switch (item.kind) {
    case "changed":
      return { case: "changed", value: create(InstanceSchema, toInstanceMessage(item.instance)) };
    case "purged":
      return { case: "purgedInstanceId", value: item.instanceId };
    case "resynced":
      return { case: "resynced", value: true };
    case "caughtUp":
      return { case: "caughtUp", value: true };
  }
}

/** What an instance is told to do. */
function controlMethods(
  engine: ManagementPort,
): Pick<
  Methods,
  | "raiseEvent"
  | "suspendInstance"
  | "resumeInstance"
  | "terminateInstance"
  | "purgeInstance"
  | "rerunInstance"
> {
  return {
    async raiseEvent({ instanceId, name, input }) {
      await engine.raiseEvent(instanceId, name, input);
      return {};
    },
    async suspendInstance({ instanceId, reason }) {
      await engine.suspend(instanceId, reason);
      return {};
    },
    async resumeInstance({ instanceId, reason }) {
      await engine.resume(instanceId, reason);
      return {};
    },
    async terminateInstance({ instanceId, output, recursive }) {
      await engine.terminate(instanceId, {
        ...(output === undefined ? {} : { output }),
        ...(recursive === undefined ? {} : { recursive }),
      });
      return {};
    },
    async purgeInstance({ instanceId, recursive, force }) {
      const options = { force, ...(recursive === undefined ? {} : { recursive }) };
      return { purgedCount: await engine.purge(instanceId, options) };
    },
    async rerunInstance({ instanceId, eventId, input, replaceInput, ...ids }) {
      const { newInstanceId, newChildInstanceId } = ids;
      return engine.rerun(instanceId, {
        eventId,
        newInstanceId,
        newChildInstanceId,
        ...(replaceInput ? { replaceInput: input === undefined ? {} : { input } } : {}),
      });
    },
  };
}

/** What streams changes. */
function watchMethods(engine: ManagementPort): Pick<Methods, "watchInstance" | "watchInstances"> {
  return {
    async *watchInstance(request, { signal }: HandlerContext) {
      const { instanceId, omitPayloads, includeHistory, resumeToken } = request;
      const options = { payloads: !omitPayloads, history: includeHistory, signal };
      const token = resumeToken === "" ? {} : { resumeToken };
      for await (const change of engine.watch(instanceId, { ...options, ...token })) {
        const { instance, events, restarted } = change;
        const { resumeToken: next } = change;
        yield { ...reply(instance), events: [...(events ?? [])], restarted, resumeToken: next };
      }
    },
    async *watchInstances(request, { signal }: HandlerContext) {
      const { includePayloads, existing, resumeToken } = request;
      const token = resumeToken === "" ? {} : { resumeToken };
      const options = { payloads: includePayloads, existing, signal, ...token };
      for await (const item of engine.watchAll(toFilter(request), options)) {
        yield { change: toChange(item), resumeToken: item.resumeToken };
      }
    },
  };
}

/** What reads executions of one id. */
function executionMethods(
  engine: ManagementPort,
): Pick<Methods, "listInstanceExecutions" | "getInstanceHistory"> {
  return {
    async listInstanceExecutions({ instanceId, pageSize, pageToken, includePayloads }) {
      const query = { pageSize, pageToken, payloads: includePayloads };
      const { instances, nextPageToken } = await engine.executions(instanceId, query);
      return { executions: instances.map(toInstanceMessage), nextPageToken: nextPageToken ?? "" };
    },
    async getInstanceHistory({ instanceId, executionId }) {
      return { events: await engine.history(instanceId, { executionId }) };
    },
  };
}
