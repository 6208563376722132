// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import type {
  ActivityItem,
  ManagementPort,
  TurnItem,
  WorkerPort,
  WorkerSession,
} from "@pawl/engine";
import {
  type HistoryEvent,
  OrchestrationStatus,
  type WorkflowAction,
  WorkflowActionSchema,
} from "@pawl/protocol";
import { chain, chainOutput, increment, requireOutput } from "../workload/fixtures.js";

/** A worker that runs `chain` by hand on the engine's worker port. */
export function connectChainWorker(port: WorkerPort): WorkerSession {
  const registration = { name: "bench", cache: "result" } as const;
  return port.connectWorker(registration, (item) => {
    // Results come after the delivery has returned, as any worker's do.
    queueMicrotask(() => {
      const taken =
        item.kind === "turn"
          ? port.completeTurn(finishTurn(item))
          : port.completeActivity(finishActivity(item));
      void taken;
    });
  });
}

/** Starts a chain on the management port and waits for its end. */
export async function runChainOnPort(port: ManagementPort): Promise<void> {
  const { instanceId } = await port.start({ workflow: chain.name, input: "0" });
  const { output } = await port.waitForCompletion(instanceId);
  requireOutput(Number(output), chainOutput);
}

function finishActivity({ instanceId, taskId, token, input }: ActivityItem) {
  return { instanceId, taskId, token, output: String(Number(input) + 1) };
}

function finishTurn({ instanceId, token, events, pastEventCount }: TurnItem) {
  const event = events.at(-1)?.event.eventType;
  const value = event?.case === "executionStarted" ? event.value.input : resultOf(event);
  return { instanceId, token, actions: [nextAction(pastEventCount, value)] };
}

function resultOf(event: HistoryEvent["eventType"] | undefined): string | undefined {
  return event?.case === "taskCompleted" ? event.value.result : undefined;
}

function nextAction(id: number, value: string | undefined): WorkflowAction {
  if (value === undefined) throw new Error("a turn came without a value");
  const hasEnded = Number(value) === chainOutput;
  return create(WorkflowActionSchema, {
    id,
    workflowActionType: hasEnded
      ? {
          case: "completeWorkflow",
          value: { workflowStatus: OrchestrationStatus.COMPLETED, result: value },
        }
      : { case: "scheduleTask", value: { name: increment.name, input: value } },
  });
}
