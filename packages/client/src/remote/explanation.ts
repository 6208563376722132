// SPDX-License-Identifier: Apache-2.0

import {
  type Explanation as ExplanationMessage,
  fromTimestamp,
  type Instance as InstanceMessage,
  WaitReason as ReasonNumber,
} from "@pawl/protocol";
import { statusOf } from "@pawl/protocol/message";
import type { Explanation, InstanceRecord, WaitReason } from "../port.js";

const reasons: Readonly<Record<ReasonNumber, WaitReason | undefined>> = {
  [ReasonNumber.UNSPECIFIED]: undefined,
  [ReasonNumber.WORKER]: "worker",
  [ReasonNumber.ROOM]: "room",
  [ReasonNumber.LIMIT]: "limit",
};

/** The explanation that a message has. */
export function fromExplanationMessage(
  message: ExplanationMessage,
  toRecord: (instance: InstanceMessage) => InstanceRecord,
): Explanation {
  const { instance, damage, suspendedAt, turnWorkerId, turnWorkerName } = message;
  const turnWaitsFor = reasons[message.turnWaitsFor];
  return {
    ...(instance === undefined ? {} : { instance: toRecord(instance) }),
    summary: message.summary,
    ...(damage === "" ? {} : { damage }),
    ...(suspendedAt === undefined ? {} : { suspendedAt: fromTimestamp(suspendedAt) }),
    ...(turnWorkerId === "" ? {} : { turnWorkerId }),
    ...(turnWorkerName === "" ? {} : { turnWorkerName }),
    ...(turnWaitsFor === undefined ? {} : { turnWaitsFor }),
    failedTurns: message.failedTurns,
    activities: message.activities.map(({ taskId, name, scheduledAt, attempt, ...rest }) => {
      const waitsFor = reasons[rest.waitsFor];
      return {
        taskId,
        name,
        scheduledAt: scheduledAt === undefined ? 0 : fromTimestamp(scheduledAt),
        attempt,
        ...(rest.workerId === "" ? {} : { workerId: rest.workerId }),
        ...(rest.workerName === "" ? {} : { workerName: rest.workerName }),
        ...(waitsFor === undefined ? {} : { waitsFor }),
      };
    }),
    timers: message.timers.map(({ timerId, fireAt, eventName }) => {
      const at = fireAt === undefined ? 0 : fromTimestamp(fireAt);
      return { timerId, fireAt: at, ...(eventName === "" ? {} : { eventName }) };
    }),
    children: message.children.map(({ taskId, instanceId, status: number }) => {
      const status = statusOf(number);
      return { taskId, instanceId, ...(status === undefined ? {} : { status }) };
    }),
    inbox: message.inbox.map(({ kind, name }) => (name === "" ? { kind } : { kind, name })),
  };
}
