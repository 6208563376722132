// SPDX-License-Identifier: Apache-2.0

import { fromJsonString } from "@bufbuild/protobuf";
import { limits } from "@pawl/protocol";
import { GetWorkflowRequestSchema } from "@pawl/protocol/dapr";
import { DaprError } from "../dapr/error.js";
import type { DaprInstance } from "../dapr/instance.js";
import type { DaprControl, DaprTarget, DaprWorkflows } from "../dapr/workflows.js";
import { readBody } from "./body.js";
import type { RestCall, RestHandler } from "./router.js";

/** POST …/workflows/{component}/{name}/start: the body is the input, as it is. */
export function startWorkflow(workflows: DaprWorkflows): RestHandler {
  return async (call) => {
    const input = await readBody(call.request, limits.requestBytes);
    const instanceId = await workflows.start({
      instanceId: call.query.get("instanceID") ?? "",
      name: call.parameters.name ?? "",
      input,
      ...appIdOf(call),
    });
    const workflowsPath = call.path.split("/").slice(0, -2).join("/");
    return {
      status: 202,
      headers: {
        location: `${workflowsPath}/${encodeURIComponent(instanceId)}`,
        "retry-after": "1",
      },
      body: { instanceID: instanceId },
    };
  };
}

/** GET …/workflows/{component}/{id}. */
export function getWorkflow(workflows: DaprWorkflows): RestHandler {
  return async (call) => {
    const target = await readTarget(call);
    const instance = await workflows.get(target);
    if (instance === undefined) {
      throw DaprError.of(
        "ERR_INSTANCE_ID_NOT_FOUND",
        `unable to find workflow with the provided instance ID: ${target.instanceId}`,
      );
    }
    return { status: 200, body: toJson(instance) };
  };
}

/** POST …/workflows/{component}/{id}/raiseEvent/{event}: the body is the payload, as it is. */
export function raiseEvent(workflows: DaprWorkflows): RestHandler {
  return async (call) => {
    const data = await readBody(call.request, limits.requestBytes);
    await workflows.raiseEvent({
      instanceId: call.parameters.id ?? "",
      name: call.parameters.event ?? "",
      data,
      ...appIdOf(call),
    });
    return { status: 202, body: {} };
  };
}

/** POST …/workflows/{component}/{id}/terminate, pause, resume and purge. */
export function controlWorkflow(workflows: DaprWorkflows, operation: DaprControl): RestHandler {
  return async (call) => {
    await workflows.control(operation, await readTarget(call));
    return { status: 202, body: {} };
  };
}

/** The instance of the path; a body, when there is one, is the JSON of the gRPC request. */
async function readTarget(call: RestCall): Promise<DaprTarget> {
  const instanceId = call.parameters.id ?? "";
  const body = await readBody(call.request, limits.requestBytes);
  if (body.length === 0) {
    return { instanceId, ...appIdOf(call) };
  }
  try {
    // The messages of all five operations have the same fields.
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    const { appId } = fromJsonString(GetWorkflowRequestSchema, text, { ignoreUnknownFields: true });
    return { instanceId, ...(appId === undefined ? {} : { appId }), ...appIdOf(call) };
  } catch (error) {
    const cause = error instanceof Error ? error.message : "not JSON";
    throw DaprError.of("ERR_MALFORMED_REQUEST", `failed deserializing HTTP body: ${cause}`);
  }
}

function appIdOf(call: RestCall): { appId?: string } {
  const appId = call.query.get("appID");
  return appId === null || appId === "" ? {} : { appId };
}

/** Protobuf's JSON: unset fields are left out. */
function toJson(instance: DaprInstance): Record<string, unknown> {
  const { workflowName, properties } = instance;
  return {
    instanceID: instance.instanceId,
    ...(workflowName === "" ? {} : { workflowName }),
    createdAt: toTimeText(instance.createdAt),
    lastUpdatedAt: toTimeText(instance.lastUpdatedAt),
    runtimeStatus: instance.runtimeStatus,
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
  };
}

/** RFC 3339 in UTC with 0 or 3 fractional digits. */
function toTimeText(at: number): string {
  return new Date(at).toISOString().replace(".000Z", "Z");
}
