// SPDX-License-Identifier: Apache-2.0

import { type AnyWorkflow, createWorker, type EnginePort, type Worker } from "@pawl/client";
import type { TurnItem, WorkerPort } from "@pawl/engine";
import {
  type CompleteWorkflowAction,
  EventRecord,
  encodeFrames,
  type HistoryEvent,
  OrchestrationStatus,
  type WorkflowAction,
} from "@pawl/protocol";
import type { Observed } from "./check.ts";
import type { Observation } from "./observe.ts";
import { brief, type Violation } from "./violation.ts";

type Answer = (actions: readonly WorkflowAction[]) => void;

/** An execution with its whole history. */
interface Execution extends Pick<Observed, "instanceId" | "executionId" | "workflow"> {
  readonly history: readonly HistoryEvent[];
}

/**
 * Replays the histories of instances that have ended by themselves with the code that wrote them, as a worker does that
 * holds nothing of them: it compares each action with what history has, and has to come to the same end.
 */
export async function checkReplays(
  workflows: readonly AnyWorkflow[],
  { instances, histories }: Pick<Observation, "instances" | "histories">,
): Promise<Violation[]> {
  const replays = new Replays(workflows);
  await replays.start();
  // How a terminated one ends is not its code's affair.
  const byCode = ["completed", "failed"];
  const ended = [...instances.values()].filter(({ status }) => byCode.includes(status));
  const found = ended.map(({ instanceId, executionId, workflow }) => {
    const history = histories.get(instanceId) ?? [];
    return replays.check({ instanceId, executionId, workflow, history });
  });
  const violations = (await Promise.all(found)).flat();
  await replays.stop();
  return violations;
}

class Replays {
  readonly #worker: Worker;
  readonly #answers = new Map<string, Answer>();
  #deliver: Parameters<WorkerPort["connectWorker"]>[1] = () => {};

  constructor(workflows: readonly AnyWorkflow[]) {
    const port: WorkerPort = {
      connectWorker: (_registration, deliver) => {
        this.#deliver = deliver;
        return { workerId: "replays", evict() {}, returnTurn() {}, close() {} };
      },
      completeTurn: async ({ token, actions }) => {
        this.#answers.get(token)?.(actions);
        this.#answers.delete(token);
      },
      completeActivity: async () => {},
      workerCount: () => 1,
    };
    // A worker uses no other part of an engine.
    const engine = port as EnginePort;
    const logger = { info() {}, warn() {}, error() {} };
    this.#worker = createWorker({ engine, workflows, activities: [], logger });
  }

  start(): Promise<void> {
    return this.#worker.start();
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  async check(execution: Execution): Promise<Violation[]> {
    const wanted = execution.history.flatMap(({ eventType: { case: kind, value } }) => {
      return kind === "executionCompleted" ? describeEnd(value) : [];
    });
    const actions = await this.#replay(execution);
    const asked = actions.map(({ workflowActionType: { case: kind, value } }) => {
      return kind === "completeWorkflow" ? describeEnd(value) : String(kind);
    });
    if (asked.join() === wanted.join()) return [];
    const { instanceId } = execution;
    const differs = `its code asks for ${brief(asked)} at the end, history has ${brief(wanted)}`;
    return [{ rule: "a replay comes to what history has", instanceId, found: differs }];
  }

  #replay({
    instanceId,
    executionId,
    workflow,
    history,
  }: Execution): Promise<readonly WorkflowAction[]> {
    const item: TurnItem = {
      kind: "turn",
      instanceId,
      executionId,
      workflow,
      token: instanceId,
      cachedEventCount: 0,
      pastEventCount: history.length,
      past: [encodeFrames(history.map(EventRecord.of))],
      events: [],
    };
    return new Promise((resolve) => {
      this.#answers.set(instanceId, resolve);
      this.#deliver(item);
    });
  }
}

function describeEnd({
  workflowStatus,
  result,
  failureDetails,
}: Pick<CompleteWorkflowAction, "workflowStatus" | "result" | "failureDetails">): string {
  const why = failureDetails && `${failureDetails.errorType}: ${failureDetails.errorMessage}`;
  return [OrchestrationStatus[workflowStatus], result, why].filter(Boolean).join(" ");
}
