// SPDX-License-Identifier: Apache-2.0

import type { ManagementPort } from "@pawl/engine";
import { DaprError } from "../../dapr/error.js";
import { readBody } from "../body.js";
import { toFullJson } from "../instance/json.js";
import type { RestCall, RestHandler } from "../router.js";
import { callEngine } from "./error.js";
import { parseEvent } from "./event.js";
import { readPayload } from "./payload.js";

/** GET …/workflows/{workflowType}/{instanceId}. */
export function getEarly(engine: ManagementPort): RestHandler {
  return async (call) => {
    call.request.resume();
    const subject = subjectOf(call);
    const instance = await callEngine("get", subject, () => engine.get(subject.instanceId));
    if (instance === undefined) {
      throw DaprError.unknownInstance(subject.instanceId);
    }
    return { status: 200, body: toFullJson(instance) };
  };
}

/** POST …/workflows/{workflowType}/{instanceId}/raiseEvent: the path does not name the event. */
export function raiseEventEarly(engine: ManagementPort): RestHandler {
  return async (call) => {
    const { name, data } = parseEvent(call, await readBody(call.request, call.bodyLimitBytes));
    const subject = { ...subjectOf(call), event: name };
    await callEngine("raiseEvent", subject, () =>
      engine.raiseEvent(subject.instanceId, name, data),
    );
    return { status: 202, body: {} };
  };
}

/** POST …/workflows/{workflowType}/{instanceId}/terminate: the body is the output. */
export function terminateEarly(engine: ManagementPort): RestHandler {
  return async (call) => {
    const output = await readPayload(call);
    const subject = subjectOf(call);
    await callEngine("terminate", subject, () =>
      engine.terminate(subject.instanceId, output === undefined ? {} : { output }),
    );
    return { status: 202, body: {} };
  };
}

/** POST …/workflows/{workflowType}/{instanceId}/suspend. */
export function suspendEarly(engine: ManagementPort): RestHandler {
  return async (call) => {
    call.request.resume();
    const subject = subjectOf(call);
    await callEngine("pause", subject, () => engine.suspend(subject.instanceId));
    return { status: 202, body: {} };
  };
}

/** POST …/workflows/{workflowType}/{instanceId}/resume: changes nothing unless it is suspended. */
export function resumeEarly(engine: ManagementPort): RestHandler {
  return async (call) => {
    call.request.resume();
    const subject = subjectOf(call);
    await callEngine("resume", subject, () => engine.resume(subject.instanceId));
    return { status: 202, body: {} };
  };
}

/** DELETE …/workflows/{workflowType}/{instanceId}: purges it and its children. */
export function purgeEarly(engine: ManagementPort): RestHandler {
  return async (call) => {
    call.request.resume();
    const subject = subjectOf(call);
    await callEngine("purge", subject, () => engine.purge(subject.instanceId));
    return { status: 200, body: {} };
  };
}

function subjectOf(call: RestCall): { subject: string; instanceId: string } {
  const instanceId = call.parameters.instanceID ?? "";
  return { subject: instanceId, instanceId };
}
