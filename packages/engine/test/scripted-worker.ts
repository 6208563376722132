// SPDX-License-Identifier: Apache-2.0

import { decodeFrames, type HistoryEvent } from "@pawl/protocol";
import type {
  ActivityCompletion,
  ActivityItem,
  TurnCompletion,
  TurnItem,
  WorkerPort,
  WorkerRegistration,
  WorkerSession,
  WorkItem,
} from "@pawl/protocol/port";
import { fail, failure } from "./actions.js";
import { replay, type Workflow } from "./replay.js";

/** What a scripted worker can do, and how it is served. */
export interface Script extends Partial<WorkerRegistration> {
  readonly workflows?: readonly string[];
  /** Workflows by name. A turn of any other is left unanswered, or refused. */
  readonly flows?: Readonly<Record<string, Workflow>>;
  /** Activities by name: text in, text out, or an error. Any other as above. */
  readonly tasks?: Readonly<Record<string, (input: string) => string>>;
  /** Answers what it does not know as a worker does that announced no names: it is not registered. */
  readonly refuses?: true;
}

/** A worker without promises of its own: it answers what it knows as soon as it can. */
export class ScriptedWorker {
  readonly #port: WorkerPort;
  readonly #script: Script;
  readonly #watchers: (() => void)[] = [];
  readonly session: WorkerSession;
  /** Every item that came, in order. */
  readonly items: WorkItem[] = [];
  /** Instances that it was told to let go. */
  readonly released: string[] = [];
  /** Items that it has and has not answered. */
  readonly open = new Set<WorkItem>();
  /** While true it answers nothing by itself. */
  isHolding = false;
  /** Answers that the engine refused. */
  readonly refusals: unknown[] = [];
  /** Sees every item before it is answered. */
  onItem: (item: WorkItem) => void = () => {};

  constructor(port: WorkerPort, script: Script) {
    this.#port = port;
    this.#script = script;
    const { flows: _flows, tasks: _tasks, refuses: _refuses, ...registration } = script;
    this.session = port.connectWorker(
      { name: "scripted", ...registration },
      (item) => this.#take(item),
      (instanceId) => this.released.push(instanceId),
    );
  }

  /** The turns that came. */
  get turns(): TurnItem[] {
    return this.items.filter((item) => item.kind === "turn");
  }

  /** The activities that came. */
  get activities(): ActivityItem[] {
    return this.items.filter((item) => item.kind === "activity");
  }

  /** Resolves with the newest turn once it has had this many. */
  async turn(count = 1): Promise<TurnItem> {
    await this.#until(() => this.turns.length >= count);
    return this.lastTurn();
  }

  /** Resolves with the newest activity once it has had this many. */
  async activity(count = 1): Promise<ActivityItem> {
    await this.#until(() => this.activities.length >= count);
    return this.lastActivity();
  }

  /** The newest turn. */
  lastTurn(): TurnItem {
    const turn = this.turns.at(-1);
    if (turn === undefined) throw new Error("no turn came");
    return turn;
  }

  /** The newest activity. */
  lastActivity(): ActivityItem {
    const activity = this.activities.at(-1);
    if (activity === undefined) throw new Error("no activity came");
    return activity;
  }

  /** Answers what it holds, and what comes from now on. */
  letGo(): void {
    this.isHolding = false;
    for (const item of [...this.open]) this.answer(item);
  }

  /** Answers one item as its script says. */
  answer(item: WorkItem): void {
    if (item.kind === "turn") this.#answerTurn(item);
    else this.#answerActivity(item);
  }

  /** Answers a turn with these actions. */
  completeTurn(
    { instanceId, token }: Pick<TurnItem, "instanceId" | "token">,
    actions: TurnCompletion["actions"],
    more: Pick<TurnCompletion, "customStatus" | "version" | "unregistered"> = {},
  ): Promise<void> {
    return this.#port.completeTurn({ instanceId, token, actions, ...more });
  }

  /** Answers an activity. */
  completeActivity(
    { instanceId, taskId, token }: Pick<ActivityItem, "instanceId" | "taskId" | "token">,
    result: Pick<ActivityCompletion, "output" | "failure" | "unregistered"> = {},
  ): Promise<void> {
    return this.#port.completeActivity({ instanceId, taskId, token, ...result });
  }

  /** Says that the workflow of a turn is not registered with it. */
  refuseTurn(item: TurnItem): Promise<void> {
    const unknown = failure("NoWorkflow", `no workflow ${item.workflow}`);
    return this.completeTurn(item, [fail(0, unknown)], { unregistered: item.workflow });
  }

  /** Says that an activity is not registered with it. */
  refuseActivity(item: ActivityItem): Promise<void> {
    const unknown = failure(`no activity ${item.name}`, "it is not registered");
    return this.completeActivity(item, { failure: unknown, unregistered: item.name });
  }

  /** Goes away. */
  close(): void {
    this.session.close();
    this.open.clear();
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  #take(item: WorkItem): void {
    this.items.push(item);
    for (const watcher of this.#watchers.splice(0)) watcher();
    this.open.add(item);
    queueMicrotask(() => {
      this.onItem(item);
      if (!this.isHolding) this.answer(item);
    });
  }

  #answerTurn(item: TurnItem): void {
    const workflow = this.#script.flows?.[item.workflow];
    if (workflow === undefined && this.#script.refuses && this.open.delete(item)) {
      this.#note(this.refuseTurn(item));
      return;
    }
    if (workflow === undefined || !this.open.delete(item)) return;
    const { actions, customStatus } = replay(workflow, pastOf(item), eventsOf(item));
    const more = customStatus === undefined ? {} : { customStatus };
    this.#note(this.completeTurn(item, actions, more));
  }

  #answerActivity(item: ActivityItem): void {
    const task = this.#script.tasks?.[item.name];
    if (task === undefined && this.#script.refuses && this.open.delete(item)) {
      this.#note(this.refuseActivity(item));
      return;
    }
    if (task === undefined || !this.open.delete(item)) return;
    try {
      this.#note(this.completeActivity(item, { output: task(item.input ?? "") }));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#note(this.completeActivity(item, { failure: failure(message, message) }));
    }
  }

  /** A refused answer is the engine's affair: the item comes again. */
  #note(answer: Promise<void>): void {
    answer.catch((error) => this.refusals.push(error));
  }
}

/** The past events that a turn brings. */
export function pastOf(item: TurnItem): HistoryEvent[] {
  return item.past.flatMap((frames) => decodeFrames(frames).map((record) => record.event));
}

/** The new events of a turn. */
export function eventsOf(item: TurnItem): HistoryEvent[] {
  return item.events.map((record) => record.event);
}

/** The kinds of these events. */
export function kinds(events: readonly HistoryEvent[]): (string | undefined)[] {
  return events.map((event) => event.eventType.case);
}
