// SPDX-License-Identifier: Apache-2.0

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Explanation, WaitReason } from "@pawl/engine";
import {
  type ExplanationSchema,
  WaitReason as ReasonMessage,
  toNearestTimestamp,
  toTimestamp,
} from "@pawl/protocol";
import { statusNumbers } from "@pawl/protocol/message";
import { toInstanceMessage } from "./instance.js";

const reasons: Readonly<Record<WaitReason, ReasonMessage>> = {
  worker: ReasonMessage.WORKER,
  room: ReasonMessage.ROOM,
  limit: ReasonMessage.LIMIT,
};

/** An explanation as a message. */
export function toExplanationMessage(
  explanation: Explanation,
): MessageInitShape<typeof ExplanationSchema> {
  const { instance, summary, damage, suspendedAt, turnWorkerId, turnWaitsFor } = explanation;
  const { turnWorkerName = "" } = explanation;
  return {
    ...(instance === undefined ? {} : { instance: toInstanceMessage(instance) }),
    summary,
    damage: damage ?? "",
    ...(suspendedAt === undefined ? {} : { suspendedAt: toTimestamp(suspendedAt) }),
    turnWorkerId: turnWorkerId ?? "",
    turnWorkerName,
    turnWaitsFor: reasonOf(turnWaitsFor),
    failedTurns: explanation.failedTurns,
    activities: explanation.activities.map(({ waitsFor, scheduledAt, ...rest }) => {
      return { ...rest, scheduledAt: toTimestamp(scheduledAt), waitsFor: reasonOf(waitsFor) };
    }),
    timers: explanation.timers.map(({ fireAt, ...rest }) => {
      return { ...rest, fireAt: toNearestTimestamp(fireAt) };
    }),
    children: explanation.children.map(({ taskId, instanceId, status }) => {
      return {
        taskId,
        instanceId,
        ...(status === undefined ? {} : { status: statusNumbers[status] }),
      };
    }),
    inbox: explanation.inbox.map((event) => ({ ...event })),
  };
}

function reasonOf(reason: WaitReason | undefined): ReasonMessage {
  return reason === undefined ? ReasonMessage.UNSPECIFIED : reasons[reason];
}
