// SPDX-License-Identifier: Apache-2.0

import type { WorkItem } from "@pawl/protocol/port";
import type { ConcurrencyLimits } from "../../options.js";
import { FairQueue } from "./fair-queue.js";
import { Gate, type Hold } from "./gate.js";
import type { NameKind } from "./repertoire.js";
import {
  type ActivityWork,
  activityKey,
  isStillWanted,
  type Worker,
  type WorkerWatcher,
} from "./worker.js";

/** An instance that waits for a turn. */
export interface TurnWork {
  readonly instanceId: string;
  readonly workflow: string;
  /** The worker that ran its last turn. */
  readonly lastWorkerId: string | undefined;
  /** Workers that lack its code, or whose code cannot go on with it. */
  readonly refusedBy: ReadonlySet<string>;
  /** Bytes of the turn, where it was too large for a worker; 0: any may take it. */
  readonly bytes: number;
}

/** What dispatch needs of the engine. */
export interface DispatchHost {
  /**
   * Makes the turn for a worker. Undefined: there is nothing to run any more. Must not throw; a
   * promise must not reject.
   */
  takeTurn(work: TurnWork, worker: Worker): WorkItem | undefined | Promise<WorkItem | undefined>;
  /** Makes the activity for a worker. Undefined: there is nothing to run any more. Must not throw. */
  takeActivity(
    work: ActivityWork,
    worker: Worker,
  ): WorkItem | undefined | Promise<WorkItem | undefined>;
}

const keepFrom = 1024;

/**
 * Hands work to workers: to those that announced its name, in fair order of the names, as long as
 * they have room and the limits on work at once allow it. What cannot go waits.
 */
export class Dispatch implements WorkerWatcher {
  readonly #host: DispatchHost;
  readonly #workers = new Map<string, Worker>();
  readonly #turns = new FairQueue<TurnWork>();
  readonly #activities = new FairQueue<ActivityWork>();
  readonly #turnGate: Gate;
  readonly #activityGate: Gate;
  #preparing = 0;
  /** So many activities wait before they are gone through again. */
  #keepAt = keepFrom;

  constructor(host: DispatchHost, limits: ConcurrencyLimits = {}) {
    this.#host = host;
    this.#turnGate = new Gate(limits.turns, limits.turnsOf);
    this.#activityGate = new Gate(limits.activities, limits.activitiesOf);
  }

  /** Other limits hold from now on: what they no longer hold back goes out. */
  setLimits(limits: ConcurrencyLimits): void {
    this.#turnGate.setLimits(limits.turns, limits.turnsOf);
    this.#activityGate.setLimits(limits.activities, limits.activitiesOf);
    this.pump();
  }

  /** The limit that holds turns of this workflow back for now; undefined: none does. */
  turnHold(workflow: string): Hold | undefined {
    return this.#turnGate.holdOf(workflow);
  }

  /** The limit that holds activities of this name back for now; undefined: none does. */
  activityHold(name: string): Hold | undefined {
    return this.#activityGate.holdOf(name);
  }

  turnLeft(workflow: string): void {
    this.#turnGate.leave(workflow);
  }

  activityLeft(name: string): void {
    this.#activityGate.leave(name);
  }

  /** Connected workers. */
  get workers(): ReadonlyMap<string, Worker> {
    return this.#workers;
  }

  /** Items that wait. */
  waitingCount(): number {
    return this.#turns.size + this.#activities.size;
  }

  /** Items that are with workers, or on their way to one. */
  busyCount(): number {
    let count = this.#preparing;
    for (const worker of this.#workers.values()) {
      count += worker.turns.size + worker.activities.size;
    }
    return count;
  }

  /** Lets workers take part. What each may have is looked at when all of them are there. */
  add(...workers: readonly Worker[]): void {
    for (const worker of workers) {
      worker.watcher = this;
      this.#workers.set(worker.workerId, worker);
    }
    this.pump();
  }

  /**
   * Leaves activities to the workers that had them before the store was opened again: they are still
   * at them. To be called before the workers take part.
   */
  readopt(workers: Iterable<Worker>): void {
    const holders = new Map<string, { worker: Worker; token: string }>();
    for (const worker of workers) {
      for (const [token, name] of worker.kept) holders.set(activityKey(name), { worker, token });
      worker.kept.clear();
    }
    if (holders.size === 0) return;
    for (const work of this.#activities.items()) {
      const holder = holders.get(activityKey(work));
      if (holder === undefined) continue;
      this.#activities.drop(work);
      holder.worker.watcher = this;
      this.#activityGate.enter(work.name);
      holder.worker.addActivity(holder.token, work);
    }
  }

  /** True while a worker takes part. */
  holds(worker: Worker): boolean {
    return this.#workers.get(worker.workerId) === worker;
  }

  /** Takes a worker out. */
  remove(worker: Worker): void {
    worker.closed = true;
    this.#workers.delete(worker.workerId);
  }

  /** Takes all workers out, without ending them: another dispatch takes over. */
  abandon(): void {
    this.#workers.clear();
  }

  /** No worker need hold an instance any more: it has ended, or is gone. */
  release(instanceId: string): void {
    for (const worker of this.#workers.values()) {
      if (worker.cached.delete(instanceId)) worker.release(instanceId);
    }
  }

  /** True when a connected worker is offered this workflow, with room or without. */
  canRun(workflow: string): boolean {
    for (const worker of this.#workers.values()) {
      if (worker.runs("workflow", workflow)) return true;
    }
    return false;
  }

  /** True when a connected worker, with room or without, may have this, and has not refused it. */
  mayHave(kind: NameKind, name: string, refusedBy: ReadonlySet<string>): boolean {
    for (const worker of this.#workers.values()) {
      if (worker.runs(kind, name) && !refusedBy.has(worker.workerId)) return true;
    }
    return false;
  }

  /** True when a connected worker may take this turn, with room or without. */
  canTake(work: TurnWork): boolean {
    for (const worker of this.#workers.values()) {
      if (isFit(worker, work) && worker.runs("workflow", work.workflow)) return true;
    }
    return false;
  }

  /** Adds a turn, and hands out what can be handed out. */
  addTurn(work: TurnWork): void {
    // While nothing else waits it need not wait either.
    if (this.#turns.size === 0 && this.#offerTurn(work, work.workflow)) return;
    this.#turns.push(work.workflow, work);
    this.#pumpTurns();
  }

  /** Takes a turn out that waits. */
  dropTurn(work: TurnWork): void {
    this.#turns.drop(work);
  }

  /** Takes an activity out that waits. */
  dropActivity(work: ActivityWork): void {
    this.#activities.drop(work);
  }

  /** Adds an activity; one that a worker gave up goes to the front. */
  addActivity(work: ActivityWork, front = false): void {
    if (this.#activities.size === 0 && this.#offerActivity(work, work.name)) return;
    this.#activities.push(work.name, work, front);
    if (this.#activities.size >= this.#keepAt) this.#keepWanted();
    this.#pumpActivities();
  }

  /** Nobody may ever come for a name, and what its instances asked for is not to pile up when they are gone. */
  #keepWanted(): void {
    // What was refused is taken out by those who know of it.
    this.#activities.keep((work) => work.refusedBy.size > 0 || isStillWanted(work));
    this.#keepAt = Math.max(keepFrom, this.#activities.size * 2);
  }

  /** Hands out what can be handed out. */
  pump(): void {
    this.#pumpTurns();
    this.#pumpActivities();
  }

  #pumpTurns(): void {
    if (this.#turns.size > 0) this.#turns.drain(this.#offerTurn);
  }

  #pumpActivities(): void {
    if (this.#activities.size > 0) this.#activities.drain(this.#offerActivity);
  }

  /** True when a worker takes the turn. */
  readonly #offerTurn = (work: TurnWork, workflow: string): boolean => {
    if (this.turnHold(workflow) !== undefined) return false;
    const worker = this.#turnWorker(work);
    if (worker === undefined) return false;
    worker.preparing += 1;
    this.#turnGate.enter(workflow);
    this.#hand(this.#host.takeTurn(work, worker), worker, (item) => {
      // A worker that was taken out meanwhile has been reset.
      if (this.holds(worker)) worker.preparing -= 1;
      if (item === undefined) this.turnLeft(workflow);
    });
    return true;
  };

  /** True when a worker takes the activity. */
  readonly #offerActivity = (work: ActivityWork, name: string): boolean => {
    if (this.activityHold(name) !== undefined) return false;
    const worker = this.#roomiest(activityOffer, name, work);
    if (worker === undefined) return false;
    this.#activityGate.enter(name);
    this.#hand(this.#host.takeActivity(work, worker), worker, (item) => {
      if (item === undefined) this.activityLeft(name);
    });
    return true;
  };

  #hand(
    taken: WorkItem | undefined | Promise<WorkItem | undefined>,
    worker: Worker,
    onTaken: (item: WorkItem | undefined) => void,
  ): void {
    if (!(taken instanceof Promise)) {
      onTaken(taken);
      if (taken !== undefined) worker.deliver(taken);
      // What it kept from going, while it was looked at, is tried again.
      else queueMicrotask(() => this.pump());
      return;
    }
    this.#preparing += 1;
    // The host's promise does not reject.
    void taken.then((item) => {
      this.#preparing -= 1;
      onTaken(item);
      if (item !== undefined) worker.deliver(item);
      else this.pump();
    });
  }

  /** The worker that holds the instance, if it has room; else the one with most room. */
  #turnWorker(work: TurnWork): Worker | undefined {
    const last = work.lastWorkerId === undefined ? undefined : this.#workers.get(work.lastWorkerId);
    if (last !== undefined && last.turnRoom() > 0 && isFit(last, work)) {
      if (last.runs("workflow", work.workflow)) return last;
    }
    return this.#roomiest(turnOffer, work.workflow, work);
  }

  /**
   * The worker with most room among those that may have the work. When all have said of other work of
   * its name that they lack it, one of them is asked: its code may have come since.
   */
  #roomiest<T extends Refusable>(offer: Offer<T>, name: string, work: T): Worker | undefined {
    const best = this.#most("runs", offer, name, work);
    const { refusedBy } = work;
    if (best !== undefined || refusedBy.size > 0 || this.mayHave(offer.kind, name, refusedBy)) {
      return best;
    }
    return this.#most("accepts", offer, name, work);
  }

  #most<T>(
    able: "runs" | "accepts",
    { kind, isFit, roomOf }: Offer<T>,
    name: string,
    work: T,
  ): Worker | undefined {
    let best: Worker | undefined;
    let bestRoom = 0;
    for (const worker of this.#workers.values()) {
      const room = roomOf(worker);
      if (room > bestRoom && worker[able](kind, name) && isFit(worker, work)) {
        best = worker;
        bestRoom = room;
      }
    }
    return best;
  }
}

/** Work that workers may refuse. */
type Refusable = Pick<TurnWork | ActivityWork, "refusedBy">;

/** How a worker is looked for for one kind of work. */
interface Offer<T> {
  readonly kind: NameKind;
  readonly isFit: (worker: Worker, work: T) => boolean;
  readonly roomOf: (worker: Worker) => number;
}

const turnOffer: Offer<TurnWork> = {
  kind: "workflow",
  isFit,
  roomOf: (worker) => worker.turnRoom(),
};

const activityOffer: Offer<ActivityWork> = {
  kind: "activity",
  isFit: (worker, { refusedBy }) => !refusedBy.has(worker.workerId),
  roomOf: (worker) => worker.activityRoom(),
};

/** True when a worker has not refused a turn, and need not be sent too much. */
function isFit(worker: Worker, { instanceId, bytes, refusedBy }: TurnWork): boolean {
  if (refusedBy.has(worker.workerId)) return false;
  return worker.turnBytes >= bytes || worker.cached.has(instanceId);
}
