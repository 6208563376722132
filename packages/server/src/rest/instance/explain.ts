// SPDX-License-Identifier: Apache-2.0

import type { Explanation, ManagementPort } from "@pawl/engine";
import { callEngine } from "../early/error.js";
import { toTimeText } from "../instance-json.js";
import type { RestHandler } from "../router.js";
import { toFullJson } from "./json.js";

/**
 * GET …/workflows/{component}/{instanceID}/explain: why it does not move: one sentence, and all that
 * it waits for.
 */
export function explainInstance(engine: ManagementPort): RestHandler {
  return async ({ request, parameters }) => {
    request.resume();
    const instanceId = parameters.instanceID ?? "";
    const subject = { subject: instanceId, instanceId };
    const explanation = await callEngine("get", subject, () => engine.explain(instanceId));
    return { status: 200, body: toExplanationJson(explanation) };
  };
}

function toExplanationJson(explanation: Explanation): object {
  const { instance, summary, damage, suspendedAt, failedTurns, inbox } = explanation;
  const { turnWorkerId, turnWorkerName, turnWaitsFor } = explanation;
  return {
    summary,
    ...(damage === undefined ? {} : { damage }),
    ...(suspendedAt === undefined ? {} : { suspendedAt: toTimeText(suspendedAt) }),
    turn: {
      ...workerOf(turnWorkerId, turnWorkerName),
      ...(turnWaitsFor === undefined ? {} : { waitsFor: turnWaitsFor }),
      failures: failedTurns,
    },
    activities: explanation.activities.map(({ workerId, workerName, scheduledAt, ...rest }) => {
      return { ...rest, scheduledAt: toTimeText(scheduledAt), ...workerOf(workerId, workerName) };
    }),
    timers: explanation.timers.map(({ timerId, fireAt, ...rest }) => {
      return { timerId, fireAt: toTimeText(fireAt), ...rest };
    }),
    children: explanation.children.map(({ taskId, instanceId, status }) => {
      const known = status === undefined ? {} : { runtimeStatus: status.toUpperCase() };
      return { taskId, instanceID: instanceId, ...known };
    }),
    inbox,
    ...(instance === undefined ? {} : { instance: toFullJson(instance) }),
  };
}

/** The worker that has it: its own name, and the server's. */
function workerOf(workerId: string | undefined, name = ""): object {
  return workerId === undefined ? {} : { worker: { id: workerId, name } };
}
