// SPDX-License-Identifier: Apache-2.0

import { type Instance, isEngineError, type ManagementPort } from "@pawl/engine";
import { DaprError } from "../../dapr/error.js";
import { callEngine } from "../early/error.js";
import { waitLimitSeconds } from "../early/prefer.js";
import { parseNumber } from "../parameter.js";
import type { RestHandler } from "../router.js";
import { toFullJson } from "./json.js";

const defaultSeconds = 30;

/**
 * GET …/workflows/{component}/{instanceID}/wait?timeout=SECONDS: 200 and the instance once it has
 * ended; 202 and the instance as it is when it has not in time. An id that is started meanwhile is
 * waited for.
 */
export function waitForInstance(engine: ManagementPort): RestHandler {
  return async (call) => {
    call.request.resume();
    const seconds = parseNumber(call, "timeout", waitLimitSeconds) ?? defaultSeconds;
    const instanceId = call.parameters.instanceID ?? "";
    const subject = { subject: instanceId, instanceId };
    const timeUp = AbortSignal.timeout(seconds * 1000);
    const signal = AbortSignal.any([call.signal, timeUp]);
    const instance = await callEngine("get", subject, () => endOrNow(engine, instanceId, signal));
    if (instance === undefined) throw DaprError.unknownInstance(instanceId);
    const body = toFullJson(instance);
    return instance.completedAt === undefined
      ? { status: 202, headers: { "retry-after": "1" }, body }
      : { status: 200, body };
  };
}

async function endOrNow(
  engine: ManagementPort,
  instanceId: string,
  signal: AbortSignal,
): Promise<Instance | undefined> {
  try {
    return await engine.waitForCompletion(instanceId, { signal });
  } catch (error) {
    if (!isEngineError(error) || error.code !== "CANCELLED") throw error;
    return engine.get(instanceId);
  }
}
