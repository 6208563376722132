// SPDX-License-Identifier: Apache-2.0

import { type Instance, isEngineError, type ManagementPort } from "@pawl/engine";
import { checkNewInstanceId } from "../../dapr/check.js";
import { daprErrors } from "../../error-map.js";
import { traceOfHeaders } from "../../tracing/caller-trace.js";
import type { RestCall, RestHandler, RestReply } from "../router.js";
import { callEngine } from "./error.js";
import { readPayload } from "./payload.js";
import { parseWait } from "./prefer.js";
import { parseTags } from "./tags-header.js";

/**
 * POST …/workflows/{workflowType}/{instanceId}/start: the body is the input. With
 * `Prefer: wait=SECONDS` the answer is the workflow's end, if it comes in that time.
 */
export function startEarly(engine: ManagementPort): RestHandler {
  return async (call) => {
    const workflow = call.parameters.workflowComponent ?? "";
    const instanceId = call.parameters.workflowName ?? "";
    const input = await readPayload(call);
    const tags = parseTags(call.request.rawHeaders);
    checkNewInstanceId(instanceId);
    const trace = traceOfHeaders(call.request.headers);
    await callEngine("start", { subject: workflow, instanceId }, () =>
      engine.start({
        workflow,
        instanceId,
        tags,
        ...trace,
        ...(input === undefined ? {} : { input }),
      }),
    );
    const workflowsPath = call.path.split("/").slice(0, -3).join("/");
    const location = `${workflowsPath}/${encodeURIComponent(workflow)}/${encodeURIComponent(instanceId)}`;
    const waitSeconds = parseWait(call.request.headers.prefer);
    const preference = waitSeconds === 0 ? {} : { "preference-applied": `wait=${waitSeconds}` };
    const ended = await waitForEnd(engine, instanceId, waitSeconds, call.signal);
    return ended === undefined
      ? {
          status: 202,
          headers: { location, "retry-after": "1", ...preference },
          body: { instanceID: instanceId },
        }
      : { ...endReply(ended), headers: { location, ...preference } };
  };
}

/** The instance once it has ended, or `undefined` when it has not in time. */
async function waitForEnd(
  engine: ManagementPort,
  instanceId: string,
  waitSeconds: number,
  gone: RestCall["signal"],
): Promise<Instance | undefined> {
  if (waitSeconds === 0) {
    return undefined;
  }
  const signal = AbortSignal.any([gone, AbortSignal.timeout(waitSeconds * 1000)]);
  try {
    return await engine.waitForCompletion(instanceId, { signal });
  } catch (error) {
    // The start was acknowledged by the store, whatever became of the wait.
    if (isEngineError(error)) {
      return undefined;
    }
    throw error;
  }
}

/** The output of a workflow that has completed, or why there is none. */
function endReply(instance: Instance): RestReply {
  const { instanceId: instanceID, status, output, failure } = instance;
  if (status === "completed") {
    return { status: 200, json: output || "null" };
  }
  if (status === "terminated") {
    const { http } = daprErrors.ERR_WORKFLOW_TERMINATED;
    const message = `workflow '${instanceID}' was terminated`;
    return { status: http, body: { errorCode: "ERR_WORKFLOW_TERMINATED", message, instanceID } };
  }
  return {
    status: daprErrors.ERR_WORKFLOW_FAILED.http,
    body: {
      errorCode: "ERR_WORKFLOW_FAILED",
      message: `workflow '${instanceID}' failed: ${failure?.message ?? "no reason given"}`,
      instanceID,
      ...(failure === undefined ? {} : { failure: describe(failure) }),
    },
  };
}

function describe({ type, message, stackTrace }: NonNullable<Instance["failure"]>): object {
  return { type, message, ...(stackTrace === undefined ? {} : { stackTrace }) };
}
