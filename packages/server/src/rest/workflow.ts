// SPDX-License-Identifier: Apache-2.0

import { type DescMessage, fromJsonString } from "@bufbuild/protobuf";
import {
  GetWorkflowRequestSchema,
  PauseWorkflowRequestSchema,
  PurgeWorkflowRequestSchema,
  ResumeWorkflowRequestSchema,
  TerminateWorkflowRequestSchema,
} from "@pawl/protocol/dapr";
import { DaprError } from "../dapr/error.js";
import type { DaprControl, DaprTarget, DaprWorkflows } from "../dapr/workflows.js";
import { traceOfHeaders } from "../tracing/caller-trace.js";
import { readBody } from "./body.js";
import { choiceOf } from "./component.js";
import { toInstanceJson } from "./instance-json.js";
import { malformedBody } from "./malformed.js";
import type { RestCall, RestHandler } from "./router.js";

/**
 * POST …/workflows/{component}/{name}/start: the body is the input, as it is. `strict` leaves out the
 * headers that Dapr does not send.
 */
export function startWorkflow(workflows: DaprWorkflows, strict: boolean): RestHandler {
  return async (call) => {
    const input = await readBody(call.request, call.bodyLimitBytes);
    const instanceId = await workflows.start({
      instanceId: call.query.get("instanceID") ?? "",
      name: call.parameters.workflowName ?? "",
      input,
      ...choiceOf(call),
      trace: traceOfHeaders(call.request.headers),
      caller: call,
      ...appIdOf(call),
    });
    const workflowsPath = call.path.split("/").slice(0, -2).join("/");
    const location = `${workflowsPath}/${encodeURIComponent(instanceId)}`;
    return {
      status: 202,
      headers: strict ? {} : { location, "retry-after": "1" },
      body: { instanceID: instanceId },
    };
  };
}

/** GET …/workflows/{component}/{id}. */
export function getWorkflow(workflows: DaprWorkflows): RestHandler {
  return async (call) => {
    const target = await readTarget(call, "get");
    const instance = await workflows.get(target);
    if (instance === undefined) throw DaprError.unknownInstance(target.instanceId);
    return { status: 200, body: toInstanceJson(instance) };
  };
}

/** POST …/workflows/{component}/{id}/raiseEvent/{event}: the body is the payload, as it is. */
export function raiseEvent(workflows: DaprWorkflows): RestHandler {
  return async (call) => {
    const data = await readBody(call.request, call.bodyLimitBytes);
    await workflows.raiseEvent({
      instanceId: call.parameters.instanceID ?? "",
      name: call.parameters.eventName ?? "",
      data,
      caller: call,
      ...choiceOf(call),
      ...appIdOf(call),
    });
    return { status: 202, body: {} };
  };
}

/** POST …/workflows/{component}/{id}/terminate, pause, resume and purge. */
export function controlWorkflow(workflows: DaprWorkflows, operation: DaprControl): RestHandler {
  return async (call) => {
    await workflows.control(operation, await readTarget(call, operation));
    return { status: 202, body: {} };
  };
}

/** The gRPC requests, whose JSON bodies may have; their fields are the same. */
const requestSchemas = {
  get: GetWorkflowRequestSchema,
  terminate: TerminateWorkflowRequestSchema,
  pause: PauseWorkflowRequestSchema,
  resume: ResumeWorkflowRequestSchema,
  purge: PurgeWorkflowRequestSchema,
} as const satisfies Record<DaprControl | "get", DescMessage>;

/** The instance of the path; a body, when there is one, is the JSON of the gRPC request. */
async function readTarget(
  call: RestCall,
  operation: keyof typeof requestSchemas,
): Promise<DaprTarget> {
  const instanceId = call.parameters.instanceID ?? "";
  const target = { instanceId, caller: call, ...choiceOf(call) };
  const body = await readBody(call.request, call.bodyLimitBytes);
  if (body.length === 0) {
    return { ...target, ...appIdOf(call) };
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    const { appId } = fromJsonString(requestSchemas[operation], text, {
      ignoreUnknownFields: true,
    });
    return { ...target, ...(appId === undefined ? {} : { appId }), ...appIdOf(call) };
  } catch (error) {
    throw malformedBody(error);
  }
}

function appIdOf(call: RestCall): { appId?: string } {
  const appId = call.query.get("appID");
  return appId === null || appId === "" ? {} : { appId };
}
