// SPDX-License-Identifier: Apache-2.0

import { fromTimestamp, type HistoryEvent, OrchestrationStatus } from "@pawl/protocol";

/** A child as its parent's history has it. */
export interface ChildFact {
  readonly taskId: number;
  readonly instanceId: string;
  /** JSON text of its result; undefined while there is none. */
  readonly result: { readonly output: string | undefined } | "failed" | undefined;
}

/** How an execution ended. */
export interface EndFact {
  readonly status: "completed" | "failed" | "terminated" | "other";
  /** JSON text. */
  readonly output: string | undefined;
}

/** What one history says. */
export interface HistoryFacts {
  readonly eventCount: number;
  readonly executionId: string;
  readonly workflow: string;
  /** JSON text. */
  readonly input: string | undefined;
  readonly parent: { readonly instanceId: string; readonly taskId: number } | undefined;
  readonly end: EndFact | undefined;
  /** Tasks with a result. */
  readonly finishedTasks: readonly number[];
  readonly children: readonly ChildFact[];
  /** Payloads of external events, as JSON text. */
  readonly raised: readonly (string | undefined)[];
  /** What cannot be in the history of an instance that has ended. */
  readonly faults: readonly string[];
}

/** Reads a history. Whatever it holds, this does not throw. */
export function readHistoryFacts(history: readonly HistoryEvent[]): HistoryFacts {
  const reader = new FactReader();
  for (const [index, event] of history.entries()) reader.read(event, index);
  return reader.finish(history.length);
}

class FactReader {
  readonly #faults: string[] = [];
  readonly #actionIds = new Set<number>();
  readonly #tasks = new Map<number, boolean>();
  readonly #timers = new Map<number, { readonly fireAt: number; hasFired: boolean }>();
  readonly #children = new Map<number, ChildFact>();
  readonly #raised: (string | undefined)[] = [];
  #start: Pick<HistoryFacts, "executionId" | "workflow" | "input" | "parent"> | undefined;
  #end: EndFact | undefined;
  #at = 0;

  read(event: HistoryEvent, index: number): void {
    this.#at = index;
    if (index === 0 && event.eventType.case !== "workflowStarted") {
      this.#fault("a history begins with a turn");
    }
    if (this.#end !== undefined) this.#fault(`${event.eventType.case} after the end`);
    if (event.eventId >= 0) {
      if (this.#actionIds.has(event.eventId)) this.#fault(`action ${event.eventId} is there twice`);
      this.#actionIds.add(event.eventId);
    }
    this.#readLife(event);
    this.#readTask(event);
  }

  #readLife({ eventType }: HistoryEvent): void {
    switch (eventType.case) {
      case "executionStarted": {
        if (this.#start !== undefined) this.#fault("a second executionStarted");
        const { name, input, workflowInstance, parentInstance } = eventType.value;
        this.#start = {
          executionId: workflowInstance?.executionId ?? "",
          workflow: name,
          input,
          parent: parentInstance && {
            instanceId: parentInstance.workflowInstance?.instanceId ?? "",
            taskId: parentInstance.taskScheduledId,
          },
        };
        break;
      }
      case "executionCompleted": {
        const { workflowStatus, result } = eventType.value;
        this.#end = { status: endStatus(workflowStatus), output: result };
        break;
      }
      case "eventRaised":
        this.#raised.push(eventType.value.input);
        break;
      default:
    }
  }

  #readTask({ eventId, timestamp, eventType }: HistoryEvent): void {
    switch (eventType.case) {
      case "taskScheduled":
        this.#tasks.set(eventId, false);
        break;
      case "taskCompleted":
      case "taskFailed":
        this.#resolveTask(eventType.value.taskScheduledId);
        break;
      case "timerCreated": {
        const { fireAt } = eventType.value;
        const due = fireAt === undefined ? 0 : fromTimestamp(fireAt);
        this.#timers.set(eventId, { fireAt: due, hasFired: false });
        break;
      }
      case "timerFired":
        this.#fireTimer(eventType.value.timerId, timestamp ? fromTimestamp(timestamp) : 0);
        break;
      case "childWorkflowInstanceCreated": {
        const { instanceId } = eventType.value;
        this.#children.set(eventId, { taskId: eventId, instanceId, result: undefined });
        break;
      }
      case "childWorkflowInstanceCompleted": {
        const { taskScheduledId, result } = eventType.value;
        this.#resolveChild(taskScheduledId, { output: result });
        break;
      }
      case "childWorkflowInstanceFailed":
        this.#resolveChild(eventType.value.taskScheduledId, "failed");
        break;
      default:
    }
  }

  #resolveTask(taskId: number): void {
    const known = this.#tasks.get(taskId);
    if (known === undefined) this.#fault(`a result of task ${taskId}, which nobody asked for`);
    if (known === true) this.#fault(`a second result of task ${taskId}`);
    this.#tasks.set(taskId, true);
  }

  #fireTimer(timerId: number, at: number): void {
    const timer = this.#timers.get(timerId);
    if (timer === undefined) {
      this.#fault(`timer ${timerId}, which nobody made, fired`);
      return;
    }
    if (timer.hasFired) this.#fault(`timer ${timerId} fired twice`);
    if (at < timer.fireAt) this.#fault(`timer ${timerId} fired ${timer.fireAt - at} ms early`);
    timer.hasFired = true;
  }

  #resolveChild(taskId: number, result: NonNullable<ChildFact["result"]>): void {
    const child = this.#children.get(taskId);
    if (child === undefined) {
      this.#fault(`a result of child ${taskId}, which nobody made`);
      return;
    }
    if (child.result !== undefined) this.#fault(`a second result of child ${taskId}`);
    this.#children.set(taskId, { ...child, result });
  }

  #fault(what: string): void {
    this.#faults.push(`event ${this.#at}: ${what}`);
  }

  finish(eventCount: number): HistoryFacts {
    if (this.#start === undefined) this.#faults.push("no executionStarted");
    if (this.#end === undefined) this.#faults.push("no executionCompleted");
    if (this.#end?.status === "completed") {
      const open = [...this.#tasks].filter(([, isFinished]) => !isFinished);
      for (const [taskId] of open) this.#faults.push(`task ${taskId} has no result`);
      const waiting = [...this.#children.values()].filter(({ result }) => result === undefined);
      for (const { taskId } of waiting) this.#faults.push(`child ${taskId} has no result`);
    }
    const nothing = { executionId: "", workflow: "", input: undefined, parent: undefined };
    return {
      ...(this.#start ?? nothing),
      eventCount,
      end: this.#end,
      finishedTasks: [...this.#tasks].flatMap(([taskId, isFinished]) => (isFinished ? taskId : [])),
      children: [...this.#children.values()],
      raised: this.#raised,
      faults: this.#faults,
    };
  }
}

function endStatus(status: OrchestrationStatus): EndFact["status"] {
  switch (status) {
    case OrchestrationStatus.COMPLETED:
      return "completed";
    case OrchestrationStatus.FAILED:
      return "failed";
    case OrchestrationStatus.TERMINATED:
      return "terminated";
    default:
      return "other";
  }
}
