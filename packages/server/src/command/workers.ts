// SPDX-License-Identifier: Apache-2.0

import { timestampDate } from "@bufbuild/protobuf/wkt";
import {
  type ConnectedWorker,
  ListWorkersResponseSchema,
  WorkerKind,
  WorkflowService,
} from "@pawl/protocol";
import { connectTo, jsonText, printAnswer, type RemoteFlags } from "./remote.js";
import { oneLine } from "./report.js";

/** What `pawl workers` is told. */
export interface WorkersFlags extends RemoteFlags {
  /** Print JSON for programs. */
  readonly json?: boolean;
}

/**
 * Asks a running server for its connected workers and prints them: for people, or with `json` as
 * `pawl.v1.ListWorkersResponse` in protobuf's JSON. The exit code is 1 when there is no answer.
 */
export function workers(flags: WorkersFlags): Promise<void> {
  return printAnswer(flags.address, async () => {
    const { client, call } = connectTo(WorkflowService, flags);
    const answer = await client.listWorkers({}, call);
    return flags.json === true
      ? jsonText(ListWorkersResponseSchema, answer)
      : workersText(answer.workers);
  });
}

/** Workers for people: two lines each. */
export function workersText(connected: readonly ConnectedWorker[]): string {
  if (connected.length === 0) return "no worker is connected\n";
  return connected.map(workerText).join("");
}

function workerText(worker: ConnectedWorker): string {
  const { name, workerId, kind, protocol, connectedAt, turnLoad, activityLoad } = worker;
  const how = `${WorkerKind[kind].toLowerCase().replace("_", "-")}${protocol === "" ? "" : ` over ${protocol}`}`;
  const since =
    connectedAt === undefined ? "" : `, since ${timestampDate(connectedAt).toISOString()}`;
  const load = (of: typeof turnLoad): string => `${of?.count ?? 0} of ${of?.limit ?? 0}`;
  const runs = [
    `workflows: ${worker.everyWorkflow ? "any" : namesText(worker.workflows)}`,
    `activities: ${worker.everyActivity ? "any" : namesText(worker.activities)}`,
    `turns: ${load(turnLoad)}`,
    `running activities: ${load(activityLoad)}`,
  ];
  const title = `${name || "(no name)"} (${workerId}), ${how}${since}`;
  return `${oneLine(title)}\n  ${oneLine(runs.join("; "))}\n`;
}

function namesText(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}
