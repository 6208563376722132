// SPDX-License-Identifier: Apache-2.0

import type { Store, StoreWrite } from "../store/store.js";
import type { ChangeLog } from "./change-log.js";
import type { Clock } from "./clock.js";
import { type BatchPace, Pace } from "./commit/pace.js";

/** Changes that were added to a batch. */
export interface Drafted {
  /** The instance whose row is written or deleted, if any. */
  readonly changedId?: string | undefined;
  /** Its row is deleted. @default false */
  readonly isPurged?: boolean;
  /** Called once they are on disk: effects, notifications. */
  readonly committed?: () => void;
}

/** Something with changes that are not on disk. */
export interface Dirty {
  /** The batch that has its changes, while they wait for one. The journal's own. */
  batch?: OpenBatch | undefined;
  /**
   * Adds its changes since the last call to a batch, which is the commit of this change number. Not
   * called again for these changes.
   */
  draft(writes: StoreWrite[], change: number): Drafted;
}

/** A batch that is still being filled. */
export interface OpenBatch {
  dirty: Dirty[];
  readonly durable: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Changes that were taken out of a batch, to be written in one go. */
interface Taken {
  readonly batch: OpenBatch;
  readonly writes: StoreWrite[];
  readonly change: number;
  readonly changed: { readonly written: string[]; readonly purged: string[] };
  /** What may happen once they are on disk. */
  readonly effects: (() => void)[];
}

/** What a journal goes by. */
export interface JournalOptions {
  readonly clock: Clock;
  readonly commitWaitMs: number;
  /** How large batches are. @default measured */
  readonly pace?: BatchPace;
}

/** Writes of one batch at most, so that one commit stays short. A single instance may exceed it. */
const batchWrites = 10_000;

/**
 * The one writer. Changes are collected while a batch is on its way to the disk, and go into the
 * next one together: one sync serves all of them. Where that leads to all instances going in step,
 * and the disk waiting for this thread longer than this thread for the disk, the changes make two
 * batches or three: one is on its way while the others' steps are made. The next is made ready as soon as
 * it is full, and follows the first at once. A failed write is final; the owner is told and replaces the
 * store.
 */
export class Journal {
  readonly #store: Pick<Store, "write">;
  readonly #clock: Clock;
  readonly #waitMs: number;
  readonly #onFailure: (error: unknown) => void;
  readonly #changes: ChangeLog;
  readonly #pace: BatchPace;
  /** Batches to be written, in order; the last one is being filled. */
  readonly #waiting: OpenBatch[] = [];
  /** What is on its way to the disk, and what follows it when it has got there. */
  #written: Taken | undefined;
  #next: Taken | undefined;
  #scheduled = false;
  /** Ends the wait for more changes, while there is one. */
  #patience: (() => void) | undefined;
  #failure: unknown;
  #commits = 0;
  /** Resolves when the write that is on its way has ended. */
  #ended: Promise<void> = Promise.resolve();

  constructor(
    store: Pick<Store, "write">,
    changes: ChangeLog,
    { clock, commitWaitMs, pace = new Pace(clock) }: JournalOptions,
    onFailure: (error: unknown) => void,
  ) {
    this.#store = store;
    this.#changes = changes;
    this.#clock = clock;
    this.#pace = pace;
    this.#waitMs = commitWaitMs;
    this.#onFailure = onFailure;
  }

  /**
   * Sees to it that the changes of `dirty` get to the disk; resolves when they are there. An urgent
   * commit starts as soon as the disk is free. One that is not waits a moment for more changes: the
   * turn that an event triggers, so that both are one write.
   */
  commit(dirty: Dirty, urgent: boolean): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#written !== undefined) this.#pace.added();
    const { durable } = this.#batchOf(dirty);
    if (urgent || this.#waitMs === 0 || this.#isNextFull()) this.#schedule();
    else this.#patience ??= this.#clock.setDelay(this.#waitMs, () => this.#schedule());
    return durable;
  }

  /** The batch that has its changes already, or the one that is being filled. */
  #batchOf(dirty: Dirty): OpenBatch {
    if (dirty.batch !== undefined) return dirty.batch;
    let last = this.#waiting.at(-1);
    if (last === undefined || last.dirty.length >= this.#pace.batchSize) {
      last = openBatch();
      this.#waiting.push(last);
    }
    last.dirty.push(dirty);
    dirty.batch = last;
    return last;
  }

  /** Resolves when nothing waits to be written. @throws what the last write threw */
  async flush(): Promise<void> {
    while (!this.isIdle()) {
      this.#schedule();
      await (this.#waiting[0]?.durable ?? this.#ended);
    }
  }

  /** True when nothing waits to be written. */
  isIdle(): boolean {
    return this.#waiting.length === 0 && this.#written === undefined;
  }

  /** Batches written since the start. */
  commitCount(): number {
    return this.#commits;
  }

  /** True when a batch waits behind the write that is on its way, and takes no more changes. */
  #isNextFull(): boolean {
    const [first] = this.#waiting;
    const isFree = this.#written !== undefined && this.#next === undefined;
    return isFree && first !== undefined && first.dirty.length >= this.#pace.batchSize;
  }

  /**
   * At the end of this run of the event loop's microtasks: starts a write, or makes the next one ready
   * where one is on its way.
   */
  #schedule(): void {
    this.#patience?.();
    this.#patience = undefined;
    if (this.#scheduled || (this.#written !== undefined && !this.#isNextFull())) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      const [batch] = this.#waiting;
      if (batch === undefined || this.#failure !== undefined) return;
      if (this.#written === undefined) this.#begin(this.#take(batch));
      else if (this.#isNextFull()) this.#next = this.#take(batch);
      this.#pace.added();
      if (this.#isNextFull()) this.#schedule();
    });
  }

  /** Takes as many changes out of a batch as go into one write. */
  #take(batch: OpenBatch): Taken | undefined {
    const change = this.#nextChange();
    const changed = { written: [], purged: [] };
    const taken: Taken = { batch, change, writes: [], changed, effects: [] };
    const { writes, effects } = taken;
    try {
      let drafted = 0;
      for (const dirty of batch.dirty) {
        if (writes.length >= batchWrites) break;
        drafted += 1;
        dirty.batch = undefined;
        const { changedId, isPurged, committed } = dirty.draft(writes, change);
        if (committed !== undefined) effects.push(committed);
        if (changedId !== undefined) taken.changed[isPurged ? "purged" : "written"].push(changedId);
      }
      batch.dirty = batch.dirty.slice(drafted);
      // Who was left out is answered with the next write: the same promise may not resolve yet.
      if (batch.dirty.length === 0) this.#waiting.shift();
      if (isChange(taken)) writes.push(...this.#changes.entry(change, taken.changed));
      return taken;
    } catch (error) {
      this.#fail(error, batch);
      return undefined;
    }
  }

  /** Changes are numbered without gaps: a write that changes no instance takes no number. */
  #nextChange(): number {
    const before = this.#written;
    if (before === undefined) return this.#changes.next();
    return isChange(before) ? before.change + 1 : before.change;
  }

  #begin(taken: Taken | undefined): void {
    if (taken !== undefined) this.#ended = this.#write(taken);
  }

  async #write(taken: Taken): Promise<void> {
    const { batch, writes, change, changed, effects } = taken;
    this.#written = taken;
    this.#pace.begun();
    try {
      // Without writes, too, it ends after what is done about the one before.
      await (writes.length > 0 ? this.#store.write(writes) : undefined);
    } catch (error) {
      this.#fail(error, batch);
      return;
    }
    if (this.#failure !== undefined) return;
    this.#commits += 1;
    const next = this.#next;
    this.#written = undefined;
    this.#next = undefined;
    const waiting = this.#waiting.reduce((sum, { dirty }) => sum + dirty.length, 0);
    this.#pace.ended(effects.length + (next?.effects.length ?? 0) + waiting);
    // The disk need not wait for what is done about this one.
    this.#begin(next);
    for (const effect of effects) effect();
    if (isChange(taken)) this.#changes.committed(change, changed);
    if (this.#waiting[0] !== batch && next?.batch !== batch) batch.resolve();
    if (this.#waiting.length > 0) this.#schedule();
  }

  /** Nothing more is written. What was on its way may be on disk, or not: those who wait are told so. */
  #fail(error: unknown, batch: OpenBatch): void {
    this.#failure = error;
    this.#patience?.();
    const left = [batch, this.#written?.batch, this.#next?.batch, ...this.#waiting.splice(0)];
    this.#written = undefined;
    this.#next = undefined;
    for (const one of left) one?.reject(error);
    this.#onFailure(error);
  }
}

/** True for a write that changes any instance. */
function isChange({ changed: { written, purged } }: Taken): boolean {
  return written.length + purged.length > 0;
}

function openBatch(): OpenBatch {
  let resolve: () => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // Everybody who waits hears of a failure; nobody need wait.
  promise.catch(() => {});
  return { dirty: [], durable: promise, resolve, reject };
}
