// SPDX-License-Identifier: Apache-2.0

import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import {
  type Explanation,
  ExplanationSchema,
  InstanceStatus,
  WaitReason,
  WorkflowService,
} from "@pawl/protocol";
import { connectTo, jsonText, printAnswer, type RemoteFlags } from "./remote.js";
import { oneLine } from "./report.js";

/** What `pawl explain` is told. */
export interface ExplainFlags extends RemoteFlags {
  /** Print JSON for programs. */
  readonly json?: boolean;
}

/**
 * Asks a running server why an instance does not move and prints it: for people, or with `json` as
 * `pawl.v1.Explanation` in protobuf's JSON. The exit code is 1 when there is no answer.
 */
export function explain(instanceId: string, flags: ExplainFlags): Promise<void> {
  return printAnswer(flags.address, async () => {
    const { client, call } = connectTo(WorkflowService, flags);
    const { explanation } = await client.explainInstance({ instanceId }, call);
    if (explanation === undefined) throw new ConnectError("the answer has no explanation");
    return flags.json === true
      ? jsonText(ExplanationSchema, explanation)
      : explanationText(explanation);
  });
}

const waits: Readonly<Record<WaitReason, string>> = {
  [WaitReason.UNSPECIFIED]: "",
  [WaitReason.WORKER]: "no connected worker offers it",
  [WaitReason.ROOM]: "every worker that offers it is full",
  [WaitReason.LIMIT]: "the limit on work at once is reached",
};

/** An explanation for people: the instance, one sentence, and a line for each thing that is open. */
export function explanationText(explanation: Explanation): string {
  const { instance, summary, damage, activities, timers, children, inbox } = explanation;
  const title =
    instance === undefined
      ? []
      : [`${instance.instanceId}  ${instance.workflow}  ${statusText(instance.status)}`];
  const lines = [
    ...title,
    summary,
    ...(damage === "" ? [] : [`damage    ${damage}`]),
    ...activities.map(({ name, taskId, attempt, scheduledAt, workerId, workerName, waitsFor }) => {
      const at =
        workerId === "" ? waits[waitsFor] : `with ${workerName || "a worker"} (${workerId})`;
      const tries = attempt > 1 ? `, attempt ${attempt}` : "";
      return `activity  ${name} (task ${taskId}${tries}), asked for ${timeText(scheduledAt)}: ${at}`;
    }),
    ...timers.map(({ timerId, fireAt, eventName }) =>
      eventName === ""
        ? `timer     ${timerId}, due ${timeText(fireAt)}`
        : `event     ${eventName}, awaited until ${timeText(fireAt)}`,
    ),
    ...children.map(({ instanceId, status }) => {
      const known = status === InstanceStatus.UNSPECIFIED ? "not there yet" : statusText(status);
      return `child     ${instanceId}  ${known}`;
    }),
    ...inbox.map(({ kind, name }) => `inbox     ${kind}${name === "" ? "" : ` ${name}`}`),
  ];
  return `${lines.map(oneLine).join("\n")}\n`;
}

function statusText(status: InstanceStatus): string {
  return InstanceStatus[status].toLowerCase();
}

function timeText(at: Timestamp | undefined): string {
  const date = at === undefined ? undefined : timestampDate(at);
  return date === undefined || Number.isNaN(date.getTime()) ? "at no date" : date.toISOString();
}
