// SPDX-License-Identifier: Apache-2.0

import { fromTimestamp, type HistoryEvent, type WorkflowAction } from "@pawl/protocol";
import * as actions from "./actions.ts";
import { isOtherInput } from "./other-input.ts";

/** Something that a workflow waits for. */
export interface Pending {
  readonly kind: "task" | "timer" | "child" | "event";
  /** The action's id; -1 for an event. */
  readonly id: number;
  result?: { readonly value: string } | { readonly failed: string };
}

/** A workflow: a generator that yields what it waits for, all of a list or any. */
export type Workflow = (
  context: ReplayContext,
) => Generator<readonly Pending[] | { any: readonly Pending[] }, string | undefined, string[]>;

/** The versions of every workflow that has some. */
const oldVersion = "v1";
const newVersion = "v2";

/** The code does not have the version of the instance. */
class NoVersion {}

class Continuation {
  readonly input: string;

  constructor(input: string) {
    this.input = input;
  }
}

/** What a workflow can do. Each call takes the next action id, always in the same order. */
export class ReplayContext {
  readonly asked: WorkflowAction[] = [];
  readonly pending = new Map<string, Pending>();
  /** Events that nobody has taken, oldest first. */
  readonly untaken: HistoryEvent[] = [];
  readonly #waiting: { readonly name: string; readonly pending: Pending }[] = [];
  input = "";
  customStatus: string | undefined;
  /** Instant of the newest turn that the code has seen. */
  now = 0;
  /** The code is of before the patches and the newer version. */
  readonly #isOld: boolean;
  /** What the code does now was done before: it is replayed. */
  isReplaying = true;
  /** Patches that history was made with. */
  readonly historyPatches = new Set<string>();
  /** Patches that the code took, in order. */
  readonly patches: string[] = [];
  /** The version that history was made with, or is being made with. */
  version: string | undefined;

  constructor(isOld: boolean) {
    this.#isOld = isOld;
  }

  /** True when the code goes the newer way: history has done so, or has not come here yet. */
  patched(name: string): boolean {
    const isTaken = !this.#isOld && (this.historyPatches.has(name) || !this.isReplaying);
    if (isTaken) this.patches.push(name);
    return isTaken;
  }

  /** The version that runs. @throws NoVersion when the code does not have it */
  versioned(): string {
    this.version ??= this.#isOld ? oldVersion : newVersion;
    if (this.#isOld && this.version !== oldVersion) throw new NoVersion();
    return this.version;
  }

  activity(asked: actions.Asked): Pending {
    return this.#ask("task", (id) => actions.activityAction(id, asked));
  }

  timer(fireAt: number, eventName?: string): Pending {
    return this.#ask("timer", (id) => actions.timerAction(id, fireAt, eventName));
  }

  child(instanceId: string, asked: actions.Asked): Pending {
    return this.#ask("child", (id) => actions.childAction(id, instanceId, asked));
  }

  detached(name: string, instanceId: string, input: string): void {
    this.asked.push(actions.detachedAction(this.asked.length, name, instanceId, input));
  }

  sendEvent(instanceId: string, name: string, data: string): void {
    this.asked.push(actions.eventAction(this.asked.length, instanceId, name, data));
  }

  terminate(instanceId: string): void {
    this.asked.push(actions.terminateAction(this.asked.length, instanceId));
  }

  /** Waits for an event; one that has come already is taken at once. */
  event(name: string): Pending {
    const pending: Pending = { kind: "event", id: -1 };
    const at = this.untaken.findIndex((event) => nameOf(event) === name);
    const [taken] = at < 0 ? [] : this.untaken.splice(at, 1);
    if (taken === undefined) this.#waiting.push({ name, pending });
    else pending.result = { value: dataOf(taken) };
    return pending;
  }

  /** Gives a wait for an event up. */
  stopWaiting(name: string, pending: Pending): void {
    const at = this.#waiting.findIndex((wait) => wait.name === name && wait.pending === pending);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** Goes on as a new execution, with the events that nobody took. */
  continueAsNew(input: string): never {
    throw new Continuation(input);
  }

  /** An event has come. */
  raise(event: HistoryEvent): void {
    const at = this.#waiting.findIndex(({ name }) => name === nameOf(event));
    const [first] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (first === undefined) this.untaken.push(event);
    else first.pending.result = { value: dataOf(event) };
  }

  #ask(kind: Pending["kind"], make: (id: number) => WorkflowAction): Pending {
    const id = this.asked.length;
    const pending: Pending = { kind, id };
    this.pending.set(`${kind} ${id}`, pending);
    this.asked.push(make(id));
    return pending;
  }
}

/** What a turn comes to. */
export interface TurnResult {
  readonly actions: WorkflowAction[];
  readonly customStatus: string | undefined;
  /** The version and the patches of the code that ran; absent where it has none. */
  readonly version?: { readonly name?: string; readonly patches: readonly string[] };
}

/** Whose code replays what. */
export interface ReplayOptions {
  /** The code is of before the patches and the newer version. */
  readonly isOld?: boolean;
  /** The past is the beginning of another history, which may end within a turn. */
  readonly isRerun?: boolean;
  /** A suspended instance does nothing; not every worker sees to that. @default true */
  readonly holdsBack?: boolean;
}

/**
 * Replays a workflow event by event, as a worker does, and holds the history against what the code
 * asks for. May be kept between turns: then it is given new events alone.
 */
export class Replay {
  readonly #workflow: Workflow;
  readonly #isRerun: boolean;
  readonly #holdsBack: boolean;
  readonly #context: ReplayContext;
  /** What the past should have and lacks, where it may: it is asked for again. */
  #owed: WorkflowAction[] = [];
  #code: ReturnType<Workflow> | undefined;
  #waiting: readonly Pending[] = [];
  #needsAll = true;
  #suspended = false;
  readonly #held: HistoryEvent[] = [];
  #end: WorkflowAction | undefined;
  #isTerminated = false;
  #lacksVersion = false;
  #continuation: string | undefined;
  /** Actions with a lower id were sent. */
  #known = 0;
  /** Ids of actions that history has. */
  readonly #recorded = new Set<number>();
  /** What history has and the code did not ask for, if there is such a thing. */
  divergence: string | undefined;

  constructor(workflow: Workflow, options: ReplayOptions = {}) {
    const { isOld = false, isRerun = false, holdsBack = true } = options;
    this.#workflow = workflow;
    this.#isRerun = isRerun;
    this.#holdsBack = holdsBack;
    this.#context = new ReplayContext(isOld);
  }

  /** Takes the next event. */
  take(event: HistoryEvent): void {
    const { eventType } = event;
    if (event.eventId >= 0 && eventType.case !== "executionCompleted") this.#compare(event);
    if (this.#end !== undefined) return;
    if (eventType.case === "executionTerminated") {
      this.#end = actions.endAction(
        this.#context.asked.length,
        "TERMINATED",
        eventType.value.input,
      );
      this.#isTerminated = true;
    } else if (eventType.case === "executionSuspended") {
      this.#suspended = this.#holdsBack;
    } else if (eventType.case === "executionResumed") {
      this.#suspended = false;
      for (const held of this.#held.splice(0)) this.#apply(held);
    } else if (this.#suspended && eventType.case !== "workflowStarted") {
      this.#held.push(event);
    } else {
      this.#apply(event);
    }
  }

  /**
   * The events so far are the past: what the code asked for in it was sent. All of it must be in
   * history, but for what leaves no trace there.
   */
  endPast(): void {
    const { asked } = this.#context;
    this.#context.isReplaying = false;
    this.#known = asked.length;
    for (const action of asked) {
      const { id, workflowActionType: type } = action;
      if (type.case === "terminateWorkflow" || this.#recorded.has(id)) continue;
      if (this.#isRerun) this.#owed.push(action);
      else this.divergence ??= `the code asked for ${type.case} ${id}, history lacks it`;
    }
  }

  /** What the code asks for that was not sent yet. */
  result(): TurnResult {
    const { asked, customStatus, version: name, patches } = this.#context;
    const hasVersion = name !== undefined || patches.length > 0;
    const version = { ...(name === undefined ? {} : { name }), patches: [...patches] };
    const more = hasVersion ? { customStatus, version } : { customStatus };
    if (this.#isTerminated && this.#end !== undefined) return { actions: [this.#end], ...more };
    if (this.#lacksVersion) {
      return { actions: [actions.noVersionAction(asked.length)], customStatus };
    }
    if (this.#continuation !== undefined) return { actions: [this.#renewal()], ...more };
    const fresh = [...this.#owed.splice(0), ...asked.slice(this.#known)];
    this.#known = asked.length;
    return { actions: this.#end === undefined ? fresh : [...fresh, this.#end], ...more };
  }

  #renewal(): WorkflowAction {
    const { asked, untaken } = this.#context;
    const held = this.#held.filter((event) => event.eventType.case === "eventRaised");
    return actions.renewAction(asked.length, this.#continuation ?? "", [...untaken, ...held]);
  }

  /** What the code waits for at the moment. */
  waitsFor(): readonly Pending[] {
    if (this.#end !== undefined || this.#continuation !== undefined) return [];
    return this.#waiting.filter((pending) => pending.result === undefined);
  }

  #apply(event: HistoryEvent): void {
    const { eventType } = event;
    const context = this.#context;
    switch (eventType.case) {
      case "workflowStarted":
        if (event.timestamp !== undefined) context.now = fromTimestamp(event.timestamp);
        for (const patch of eventType.value.version?.patches ?? []) {
          context.historyPatches.add(patch);
        }
        context.version = eventType.value.version?.name ?? context.version;
        return;
      case "executionStarted":
        context.input = eventType.value.input ?? "";
        this.#code = this.#workflow(context);
        break;
      case "taskCompleted":
        this.#settle("task", eventType.value.taskScheduledId, {
          value: eventType.value.result ?? "",
        });
        break;
      case "taskFailed":
        this.#settle("task", eventType.value.taskScheduledId, failedOf(eventType.value));
        break;
      case "timerFired":
        this.#settle("timer", eventType.value.timerId, { value: "" });
        break;
      case "childWorkflowInstanceCompleted":
        this.#settle("child", eventType.value.taskScheduledId, {
          value: eventType.value.result ?? "",
        });
        break;
      case "childWorkflowInstanceFailed":
        this.#settle("child", eventType.value.taskScheduledId, failedOf(eventType.value));
        break;
      case "eventRaised":
        context.raise(event);
        break;
      default:
        return;
    }
    this.#advance();
  }

  #settle(kind: string, id: number, result: NonNullable<Pending["result"]>): void {
    const pending = this.#context.pending.get(`${kind} ${id}`);
    if (pending === undefined) this.divergence ??= `a result came for ${kind} ${id}, never asked`;
    else if (pending.result !== undefined) this.divergence ??= `${kind} ${id} was settled twice`;
    else pending.result = result;
  }

  /** Runs the code as far as what it waits for is settled. */
  #advance(): void {
    const code = this.#code;
    while (code !== undefined && !this.#isOver()) {
      const open = this.#waiting.filter((pending) => pending.result === undefined);
      if (this.#needsAll ? open.length > 0 : open.length === this.#waiting.length) return;
      this.#step(code);
    }
  }

  #isOver(): boolean {
    return this.#end !== undefined || this.#continuation !== undefined || this.#lacksVersion;
  }

  #step(code: ReturnType<Workflow>): void {
    const outputs: string[] = [];
    let failed: string | undefined;
    for (const { result } of this.#waiting) {
      if (result === undefined) continue;
      if ("value" in result) outputs.push(result.value);
      else failed ??= result.failed;
    }
    try {
      const next = failed === undefined ? code.next(outputs) : code.throw(new Error(failed));
      const id = this.#context.asked.length;
      if (next.done) this.#end = actions.endAction(id, "COMPLETED", next.value);
      else this.#wait(next.value);
    } catch (error) {
      if (error instanceof Continuation) this.#continuation = error.input;
      else if (error instanceof NoVersion) this.#lacksVersion = true;
      else {
        const message = error instanceof Error ? error.message : String(error);
        this.#end = actions.failAction(this.#context.asked.length, message);
      }
    }
  }

  #wait(wait: readonly Pending[] | { any: readonly Pending[] }): void {
    this.#needsAll = !("any" in wait);
    this.#waiting = "any" in wait ? wait.any : wait;
  }

  /** History has an action: the code must have asked for it, and of an activity for the same. */
  #compare(event: HistoryEvent): void {
    this.#recorded.add(event.eventId);
    const type = this.#context.asked[event.eventId]?.workflowActionType;
    const wanted = type === undefined ? "nothing" : (eventKinds[type.case ?? ""] ?? "");
    if (event.eventType.case !== wanted) {
      this.divergence ??= `history has ${event.eventType.case} ${event.eventId}, the code ${wanted}`;
    } else if (type?.case === "scheduleTask" && event.eventType.case === "taskScheduled") {
      const [had, asks] = [event.eventType.value.input, type.value.input];
      if (had !== asks && !(this.#isRerun && isOtherInput(had ?? "")))
        this.divergence ??= `history has activity ${had}, the code asks for ${asks}`;
    }
  }
}

const eventKinds: Readonly<Record<string, string>> = {
  scheduleTask: "taskScheduled",
  createTimer: "timerCreated",
  createChildWorkflow: "childWorkflowInstanceCreated",
  createDetachedWorkflow: "detachedWorkflowInstanceCreated",
  sendEvent: "eventSent",
};

function failedOf(event: {
  readonly failureDetails?: { readonly errorMessage: string } | undefined;
}) {
  return { failed: event.failureDetails?.errorMessage ?? "" };
}

function nameOf({ eventType }: HistoryEvent): string {
  return eventType.case === "eventRaised" ? eventType.value.name : "";
}

function dataOf({ eventType }: HistoryEvent): string {
  return eventType.case === "eventRaised" ? (eventType.value.input ?? "") : "";
}
