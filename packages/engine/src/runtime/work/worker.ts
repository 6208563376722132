// SPDX-License-Identifier: Apache-2.0

import { type EventRecord, TurnoverMap } from "@pawl/protocol";
import type { ActivityCompletion, WorkerRegistration, WorkItem } from "@pawl/protocol/port";
import type { Mailbox } from "../mailbox.js";
import { type NameKind, Repertoire } from "./repertoire.js";

/** An activity that waits for a worker, or is with one. */
export interface ActivityWork {
  /** The instance that asked for it, also when it is no longer in memory otherwise. */
  readonly mailbox: Mailbox;
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
  readonly name: string;
  /** Its taskScheduled event. */
  readonly record: EventRecord;
  /** Workers that do not have it. */
  readonly refusedBy: ReadonlySet<string>;
}

/** False when the instance was purged or terminated, or the task has its result. */
export function isStillWanted(work: ActivityWork): boolean {
  const { state } = work.mailbox;
  if (state === undefined || state.fold.end === "terminated") return false;
  return state.executionId !== work.executionId || state.fold.tasks.has(work.taskId);
}

/** A turn that a worker has, as its instance knows it. */
export interface TurnInFlight {
  readonly token: string;
  readonly workerId: string;
  /** The events that it was given: workflowStarted, then some of the inbox. */
  readonly events: readonly EventRecord[];
}

/** A turn that a worker has. */
export interface TurnHeld {
  readonly instanceId: string;
  readonly workflow: string;
}

/** Told when a worker no longer has an item. */
export interface WorkerWatcher {
  turnLeft(workflow: string): void;
  activityLeft(name: string): void;
}

/** What a worker holds of an instance between turns. */
export interface Cached {
  readonly executionId: string;
  readonly eventCount: number;
}

/** What tells an activity from all others, also over a reopening of the store. */
export type ActivityName = Pick<ActivityWork, "instanceId" | "executionId" | "taskId">;

/** The same as one text. */
export function activityKey({ instanceId, executionId, taskId }: ActivityName): string {
  return JSON.stringify([instanceId, executionId, taskId]);
}

/** What a worker has, by token. */
type Held<T> = Pick<TurnoverMap<string, T>, "get" | "size" | "values" | typeof Symbol.iterator>;

const defaultLimit = 1000;

/** A connected worker: what it can do, and what it has at the moment. */
export class Worker {
  readonly workerId: string;
  /** What it said of itself. */
  readonly registration: WorkerRegistration;
  /** Milliseconds since 1970 (UTC). */
  readonly connectedAt: number;
  readonly cache: "none" | "past" | "result";
  readonly turnBytes: number;
  /** Its empty answers may mean that it lacks the workflow. */
  readonly isSilent: boolean;
  readonly deliver: (item: WorkItem) => void;
  readonly release: (instanceId: string) => void;
  readonly #turns = new TurnoverMap<string, TurnHeld>();
  readonly #activities = new TurnoverMap<string, ActivityWork>();
  /** While the store is being opened again: the activities that it goes on with, by token. */
  readonly kept = new Map<string, ActivityName>();
  /** Instances that it holds. */
  readonly cached = new TurnoverMap<string, Cached>();
  /** Turns that are being prepared for it. */
  preparing = 0;
  /** Who counts what it has. */
  watcher: WorkerWatcher | undefined;
  closed = false;
  /** What its answers have shown. */
  readonly repertoire = new Repertoire();
  readonly #announced: Readonly<Record<NameKind, ReadonlySet<string> | undefined>>;
  /** Turns, and activities, that it takes at once. */
  readonly turnLimit: number;
  readonly activityLimit: number;
  #itemCount = 0;

  constructor(
    { workerId, connectedAt }: Pick<Worker, "workerId" | "connectedAt">,
    registration: WorkerRegistration,
    deliver: (item: WorkItem) => void,
    release: (instanceId: string) => void,
  ) {
    this.workerId = workerId;
    this.connectedAt = connectedAt;
    this.registration = registration;
    this.deliver = deliver;
    this.release = release;
    this.cache = registration.cache ?? "none";
    this.isSilent = registration.isSilent ?? false;
    this.turnBytes = registration.turnBytes ?? Number.POSITIVE_INFINITY;
    this.#announced = {
      workflow: registration.workflows && new Set(registration.workflows),
      activity: registration.activities && new Set(registration.activities),
    };
    this.turnLimit = registration.turnLimit || defaultLimit;
    this.activityLimit = registration.activityLimit || defaultLimit;
  }

  /** Turns that it has, by token. */
  get turns(): Held<TurnHeld> {
    return this.#turns;
  }

  /** Activities that it has, by token. */
  get activities(): Held<ActivityWork> {
    return this.#activities;
  }

  /** A token that no other item has or had: ids of workers are never used again. */
  nextToken(): string {
    this.#itemCount += 1;
    return `${this.workerId}.${this.#itemCount}`;
  }

  /** It has been given a turn. */
  addTurn(token: string, turn: TurnHeld): void {
    this.#turns.set(token, turn);
  }

  /** It has been given an activity. */
  addActivity(token: string, work: ActivityWork): void {
    this.#activities.set(token, work);
  }

  /** It no longer has a turn. Nothing happens when it did not have it. */
  dropTurn(token: string): void {
    const turn = this.#turns.get(token);
    if (turn === undefined) return;
    this.#turns.delete(token);
    this.watcher?.turnLeft(turn.workflow);
  }

  /** It no longer has an activity. Nothing happens when it did not have it. */
  dropActivity(token: string): void {
    const work = this.#activities.get(token);
    if (work === undefined) return;
    this.#activities.delete(token);
    this.watcher?.activityLeft(work.name);
  }

  /**
   * The state behind it, and who counted what it has, are gone: forgets all that it had and held, but
   * for the activities that it goes on with.
   */
  reset(): void {
    for (const [token, { instanceId, executionId, taskId }] of this.#activities) {
      this.kept.set(token, { instanceId, executionId, taskId });
    }
    this.watcher = undefined;
    this.#turns.clear();
    this.#activities.clear();
    this.cached.clear();
    this.preparing = 0;
  }

  /**
   * It has reported an activity, and nobody could take the result: it must be run again. A token that
   * is another activity's says nothing of either.
   */
  forget({ instanceId, taskId, token }: Omit<ActivityCompletion, "output" | "failure">): void {
    for (const [kept, name] of this.kept) {
      const isIt = name.instanceId === instanceId && name.taskId === taskId;
      if (isIt && (token === "" || token === kept)) this.kept.delete(kept);
    }
  }

  /** True when it announced this name, or announces none. */
  accepts(kind: NameKind, name: string): boolean {
    return this.#announced[kind]?.has(name) ?? true;
  }

  /** True when it is offered this name: it accepts it, and has not said that it lacks it. */
  runs(kind: NameKind, name: string): boolean {
    return this.accepts(kind, name) && !this.repertoire.lacks(kind, name);
  }

  /** What it is known to have: what it announced, or what it has run. */
  names(kind: NameKind): ReadonlySet<string> {
    return this.#announced[kind] ?? this.repertoire.names(kind);
  }

  /** Turns that it can still take. */
  turnRoom(): number {
    return this.closed ? 0 : this.turnLimit - this.#turns.size - this.preparing;
  }

  /** Activities that it can still take. */
  activityRoom(): number {
    return this.closed ? 0 : this.activityLimit - this.#activities.size;
  }
}

/**
 * The activity that a completion is of: by token, which must be that of this instance and task; without
 * one, the oldest of them that a worker has.
 */
export function findActivity(
  workers: Iterable<Worker>,
  { instanceId, taskId, token }: Pick<ActivityCompletion, "instanceId" | "taskId" | "token">,
): { worker: Worker; token: string; work: ActivityWork } | undefined {
  const isMeant = (work: ActivityWork): boolean =>
    work.instanceId === instanceId && work.taskId === taskId;
  for (const worker of workers) {
    if (token !== "") {
      const work = worker.activities.get(token);
      if (work !== undefined && isMeant(work)) return { worker, token, work };
      continue;
    }
    for (const [known, work] of worker.activities) {
      if (isMeant(work)) return { worker, token: known, work };
    }
  }
  return undefined;
}
