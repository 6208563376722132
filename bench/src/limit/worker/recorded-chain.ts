// SPDX-License-Identifier: Apache-2.0

import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  type HistoryEvent,
  OrchestrationStatus,
  TaskHubSidecarService,
  toEnvelope,
  type WorkflowAction,
  WorkflowActionSchema,
} from "@pawl/protocol";
import { type WorkflowRequest, type WorkItem, WorkItemSchema } from "@pawl/protocol/task-hub";
import { startPawl } from "../../system/pawl-server.js";
import type { Toolbox } from "../../system/system.js";

/** What the chain is started with. Not 0: the JavaScript SDK loses inputs that are falsy. */
const input = "1";
/** What it ends with. */
export const recordedOutput = "4";

/** An id of the length that others take its place with. */
const recordedId = "recorded".padEnd(36, "-");

/** The work items of one chain as Pawl sent them, with a place for the id of an instance. */
export class RecordedChain {
  readonly #frames: readonly Uint8Array[];

  constructor(items: readonly WorkItem[]) {
    this.#frames = items.map((item) => toEnvelope(toBinary(WorkItemSchema, item)));
  }

  /** How many work items it has. */
  get length(): number {
    return this.#frames.length;
  }

  /** One of them as a frame of gRPC, for an instance with an id that `idOf` made. */
  frame(at: number, instanceId: string): Buffer {
    const frame = Buffer.from(this.#frames[at] ?? []);
    for (let place = frame.indexOf(recordedId); place >= 0; ) {
      frame.write(instanceId, place, "latin1");
      place = frame.indexOf(recordedId, place + instanceId.length);
    }
    return frame;
  }
}

/** The id of the chain of a number. */
export function idOf(number: number): string {
  return String(number).padStart(recordedId.length, "0");
}

/**
 * Runs one chain on Pawl's server, as its only worker, and keeps the work items that came. Its tasks are
 * numbered from `firstTaskId` on, as the worker does that replays them.
 */
export async function recordChain(toolbox: Toolbox, firstTaskId: number): Promise<RecordedChain> {
  const server = await startPawl(toolbox);
  const transport = createGrpcTransport({ baseUrl: server.address, acceptCompression: [] });
  const taskHub = createClient(TaskHubSidecarService, transport);
  const recording = new AbortController();
  const items: WorkItem[] = [];
  try {
    // Answered when its first turn has been.
    const started = taskHub.startInstance({ instanceId: recordedId, name: "chain", input });
    for await (const item of taskHub.getWorkItems({}, { signal: recording.signal })) {
      const { completionToken, request } = item;
      const common = { instanceId: recordedId, completionToken };
      if (request.case === "activityRequest") {
        items.push(item);
        const { taskId } = request.value;
        const result = String(Number(request.value.input) + 1);
        await taskHub.completeActivityTask({ ...common, taskId, result });
      } else if (request.case === "workflowRequest") {
        items.push(item);
        const action = nextAction(request.value, firstTaskId);
        await taskHub.completeOrchestratorTask({ ...common, actions: [action] });
        if (action.workflowActionType.case === "completeWorkflow") break;
      }
    }
    await started;
  } finally {
    recording.abort();
    await server.stop();
  }
  return new RecordedChain(items);
}

function nextAction({ newEvents }: WorkflowRequest, firstTaskId: number): WorkflowAction {
  const value = valueIn(newEvents.at(-1));
  return create(WorkflowActionSchema, {
    id: firstTaskId + Number(value) - Number(input),
    workflowActionType:
      value === recordedOutput
        ? {
            case: "completeWorkflow",
            value: { workflowStatus: OrchestrationStatus.COMPLETED, result: value },
          }
        : { case: "scheduleTask", value: { name: "increment", input: value } },
  });
}

function valueIn(event: HistoryEvent | undefined): string {
  const type = event?.eventType;
  const value =
    type?.case === "executionStarted"
      ? type.value.input
      : type?.case === "taskCompleted"
        ? type.value.result
        : undefined;
  if (value === undefined) throw new Error("a turn came without a value");
  return value;
}
