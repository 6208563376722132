// SPDX-License-Identifier: Apache-2.0

import {
  fromTimestamp,
  type HistoryEvent,
  OrchestrationStatus,
  type WorkflowAction,
} from "@pawl/protocol";
import * as actions from "./actions.js";

/** What a workflow waits for: it is settled when its result is in history. */
interface Pending {
  result?: { readonly value: string | undefined } | { readonly failed: string };
}

/** A workflow of the tests: a generator that yields what it waits for, one or all of a list. */
export type Workflow = (
  context: ReplayContext,
) => Generator<Pending | readonly Pending[], string | undefined, string[]>;

/** What a workflow of the tests can do. Each call takes the next action id, always in the same order. */
export class ReplayContext {
  readonly asked: WorkflowAction[] = [];
  readonly #pending = new Map<string, Pending>();
  /** Events that nobody has taken, oldest first, and who waits for one, by folded name. */
  readonly #untaken: HistoryEvent[] = [];
  readonly #waiting = new Map<string, Pending[]>();
  #nextId = 0;
  input = "";
  customStatus: string | undefined;
  /** Instant of the newest turn that the code has seen. */
  now = 0;

  activity(name: string, input?: string): Pending {
    return this.#ask("task", (id) => actions.schedule(id, name, input));
  }

  timer(fireAt: number): Pending {
    return this.#ask("timer", (id) => actions.timer(id, fireAt));
  }

  child(name: string, instanceId = "", input?: string): Pending {
    return this.#ask("child", (id) => actions.child(id, name, instanceId, input));
  }

  detached(name: string, instanceId: string, more?: Parameters<typeof actions.detached>[3]): void {
    this.asked.push(actions.detached(this.#nextId++, name, instanceId, more));
  }

  sendEvent(instanceId: string, name: string, data?: string): void {
    this.asked.push(actions.sendEvent(this.#nextId++, instanceId, name, data));
  }

  terminate(instanceId: string, reason?: string): void {
    this.asked.push(actions.terminateOther(this.#nextId++, instanceId, reason));
  }

  /** Waits for an event; one that has come already is taken at once. */
  event(name: string): Pending {
    const folded = name.toUpperCase();
    const at = this.#untaken.findIndex((event) => nameOf(event) === folded);
    const [taken] = at < 0 ? [] : this.#untaken.splice(at, 1);
    if (taken !== undefined) return { result: { value: inputOf(taken) } };
    const pending: Pending = {};
    this.#waiting.set(folded, [...(this.#waiting.get(folded) ?? []), pending]);
    return pending;
  }

  /** Goes on as a new execution, with the events that nobody took. */
  continueAsNew(input: string): never {
    throw new Continuation(input);
  }

  /** @internal */
  settle(kind: string, id: number, result: Pending["result"]): void {
    const pending = this.#pending.get(`${kind} ${id}`);
    if (pending !== undefined && result !== undefined) pending.result ??= result;
  }

  /** @internal */
  raise(event: HistoryEvent): void {
    const first = this.#waiting.get(nameOf(event))?.shift();
    if (first === undefined) this.#untaken.push(event);
    else first.result = { value: inputOf(event) };
  }

  /** @internal Events that nobody has taken. */
  untaken(): HistoryEvent[] {
    return [...this.#untaken];
  }

  /** @internal The completion of the workflow. */
  nextId(): number {
    return this.#nextId++;
  }

  #ask(kind: string, make: (id: number) => WorkflowAction): Pending {
    const id = this.#nextId++;
    const pending: Pending = {};
    this.#pending.set(`${kind} ${id}`, pending);
    this.asked.push(make(id));
    return pending;
  }
}

class Continuation {
  readonly input: string;

  constructor(input: string) {
    this.input = input;
  }
}

/** What a turn comes to. */
export interface ReplayResult {
  readonly actions: WorkflowAction[];
  readonly customStatus: string | undefined;
}

/**
 * Replays a workflow over its whole history, past events and then those of the turn, as a worker
 * does: while suspended it holds events back and asks for nothing.
 */
export function replay(
  workflow: Workflow,
  past: readonly HistoryEvent[],
  events: readonly HistoryEvent[],
): ReplayResult {
  const run = new Replay(workflow);
  for (const event of [...past, ...events]) run.take(event);
  const known = new Set(past.flatMap((event) => (event.eventId >= 0 ? [event.eventId] : [])));
  return run.result(known);
}

/**
 * What a workflow asks for over its whole history, and what that history has: as lines, the same when the
 * code would do it again.
 */
export function askedAndRecorded(
  workflow: Workflow,
  history: readonly HistoryEvent[],
): { readonly asked: string[]; readonly recorded: string[] } {
  const { actions: all } = replay(workflow, [], history);
  return { asked: all.flatMap(lineOfAction), recorded: history.flatMap(lineOfEvent) };
}

function lineOfAction({ id, workflowActionType: { case: kind, value } }: WorkflowAction): string[] {
  switch (kind) {
    case "scheduleTask":
      return [`${id}: activity ${value.name} ${value.input}`];
    case "createTimer":
      return [`${id}: timer ${value.fireAt && fromTimestamp(value.fireAt)}`];
    case "createChildWorkflow":
      return [`${id}: child ${value.name} ${value.input}`];
    case "sendEvent":
      return [`${id}: event ${value.name} ${value.data} to ${value.instance?.instanceId}`];
    case "completeWorkflow":
      return [`ends as ${OrchestrationStatus[value.workflowStatus]} with ${value.result}`];
    default:
      return [];
  }
}

function lineOfEvent({ eventId, eventType: { case: kind, value } }: HistoryEvent): string[] {
  switch (kind) {
    case "taskScheduled":
      return [`${eventId}: activity ${value.name} ${value.input}`];
    case "timerCreated":
      return [`${eventId}: timer ${value.fireAt && fromTimestamp(value.fireAt)}`];
    case "childWorkflowInstanceCreated":
      return [`${eventId}: child ${value.name} ${value.input}`];
    case "eventSent":
      return [`${eventId}: event ${value.name} ${value.input} to ${value.instanceId}`];
    case "executionCompleted":
      return [`ends as ${OrchestrationStatus[value.workflowStatus]} with ${value.result}`];
    default:
      return [];
  }
}

class Replay {
  readonly #workflow: Workflow;
  readonly #context = new ReplayContext();
  #code: ReturnType<Workflow> | undefined;
  #waiting: Pending | readonly Pending[] = [];
  #suspended = false;
  readonly #held: HistoryEvent[] = [];
  #end: WorkflowAction | undefined;
  /** Asked to go on as new, with this input. */
  #continuation: string | undefined;

  constructor(workflow: Workflow) {
    this.#workflow = workflow;
  }

  take(event: HistoryEvent): void {
    const { eventType } = event;
    if (this.#end !== undefined) return;
    // A terminate drops a continue-as-new, and nothing else does.
    if (eventType.case === "executionTerminated") {
      this.#end = actions.completeTerminated(this.#context.nextId(), eventType.value.input);
    } else if (eventType.case === "executionSuspended") {
      this.#suspended = true;
    } else if (eventType.case === "executionResumed") {
      this.#suspended = false;
      for (const held of this.#held.splice(0)) this.#apply(held);
    } else if (this.#suspended) {
      this.#held.push(event);
    } else {
      this.#apply(event);
    }
  }

  result(known: ReadonlySet<number>): ReplayResult {
    const { asked, customStatus } = this.#context;
    if (this.#end === undefined && this.#continuation !== undefined) {
      const carried = this.#context.untaken();
      const next = actions.continueWith(this.#context.nextId(), this.#continuation, carried);
      return { actions: [next], customStatus };
    }
    if (this.#end?.workflowActionType.case === "completeWorkflow") {
      const { workflowStatus } = this.#end.workflowActionType.value;
      if (workflowStatus === OrchestrationStatus.TERMINATED) {
        return { actions: [this.#end], customStatus };
      }
    }
    if (this.#suspended) return { actions: [], customStatus };
    const fresh = asked.filter((action) => !known.has(action.id));
    return { actions: this.#end === undefined ? fresh : [...fresh, this.#end], customStatus };
  }

  #apply(event: HistoryEvent): void {
    const { eventType } = event;
    const context = this.#context;
    switch (eventType.case) {
      case "workflowStarted":
        context.now = Number(event.timestamp?.seconds ?? 0n) * 1000;
        break;
      case "executionStarted":
        context.input = eventType.value.input ?? "";
        this.#code = this.#workflow(context);
        break;
      case "taskCompleted":
        context.settle("task", eventType.value.taskScheduledId, { value: eventType.value.result });
        break;
      case "taskFailed":
        this.#fail("task", eventType.value);
        break;
      case "timerFired":
        context.settle("timer", eventType.value.timerId, { value: undefined });
        break;
      case "childWorkflowInstanceCompleted":
        context.settle("child", eventType.value.taskScheduledId, { value: eventType.value.result });
        break;
      case "childWorkflowInstanceFailed":
        this.#fail("child", eventType.value);
        break;
      case "eventRaised":
        context.raise(event);
        break;
      default:
    }
    this.#advance();
  }

  #fail(
    kind: string,
    {
      taskScheduledId,
      failureDetails,
    }: {
      readonly taskScheduledId: number;
      readonly failureDetails?: { readonly errorType: string } | undefined;
    },
  ): void {
    this.#context.settle(kind, taskScheduledId, { failed: failureDetails?.errorType ?? "" });
  }

  /** Runs the code as far as what it waits for is settled. */
  #advance(): void {
    const code = this.#code;
    while (code !== undefined && this.#end === undefined && this.#continuation === undefined) {
      const waiting = "length" in this.#waiting ? this.#waiting : [this.#waiting];
      if (waiting.some((pending) => pending.result === undefined)) return;
      this.#step(code, waiting);
    }
  }

  #step(code: ReturnType<Workflow>, settled: readonly Pending[]): void {
    try {
      const failed = settled.find((pending) => pending.result && "failed" in pending.result);
      const next =
        failed?.result !== undefined && "failed" in failed.result
          ? code.throw(new Error(failed.result.failed))
          : code.next(settled.map((pending) => outputOf(pending)));
      if (next.done) this.#end = actions.complete(this.#context.nextId(), next.value);
      else this.#waiting = next.value;
    } catch (error) {
      if (error instanceof Continuation) this.#continuation = error.input;
      else this.#end = this.#failureOf(error);
    }
  }

  #failureOf(error: unknown): WorkflowAction {
    const message = error instanceof Error ? error.message : String(error);
    const details = actions.failure(message, `the workflow failed: ${message}`);
    return actions.fail(this.#context.nextId(), details);
  }
}

function nameOf({ eventType }: HistoryEvent): string {
  return eventType.case === "eventRaised" ? eventType.value.name.toUpperCase() : "";
}

function inputOf({ eventType }: HistoryEvent): string {
  return eventType.case === "eventRaised" ? (eventType.value.input ?? "") : "";
}

function outputOf(pending: Pending): string {
  const { result } = pending;
  return result !== undefined && "value" in result ? (result.value ?? "") : "";
}
