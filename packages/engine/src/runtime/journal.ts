// SPDX-License-Identifier: Apache-2.0

import type { Store, StoreWrite } from "../store/store.js";
import type { ChangeLog } from "./change-log.js";
import type { Clock } from "./clock.js";
import { Pace } from "./commit/pace.js";

/** Changes that were added to a batch. */
export interface Drafted {
  /** The instance whose row is written or deleted, if any. */
  readonly changedId?: string | undefined;
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

/** Writes of one batch at most, so that one commit stays short. A single instance may exceed it. */
const batchWrites = 10_000;

/**
 * The one writer. Changes are collected while a batch is on its way to the disk, and go into the
 * next one together: one sync serves all of them. Where that leads to all instances going in step,
 * and the disk waiting for this thread longer than this thread for the disk, the changes make two
 * batches: one is on its way while the other's steps are made. A failed write is final; the owner is
 * told and replaces the store.
 */
export class Journal {
  readonly #store: Pick<Store, "write">;
  readonly #clock: Clock;
  readonly #waitMs: number;
  readonly #onFailure: (error: unknown) => void;
  readonly #changes: ChangeLog;
  readonly #pace: Pace;
  /** Batches to be written, in order; the last one is being filled. */
  readonly #waiting: OpenBatch[] = [];
  #writing = false;
  #scheduled = false;
  /** Ends the wait for more changes, while there is one. */
  #patience: (() => void) | undefined;
  #failure: unknown;
  #commits = 0;
  #written: Promise<void> = Promise.resolve();

  constructor(
    store: Pick<Store, "write">,
    changes: ChangeLog,
    { clock, commitWaitMs }: { readonly clock: Clock; readonly commitWaitMs: number },
    onFailure: (error: unknown) => void,
  ) {
    this.#store = store;
    this.#changes = changes;
    this.#clock = clock;
    this.#pace = new Pace(clock);
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
    if (this.#writing) this.#pace.added();
    const { durable } = this.#batchOf(dirty);
    if (urgent || this.#waitMs === 0) this.#schedule();
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
      await (this.#waiting[0]?.durable ?? this.#written);
    }
  }

  /** True when nothing waits to be written. */
  isIdle(): boolean {
    return this.#waiting.length === 0 && !this.#writing;
  }

  /** Batches written since the start. */
  commitCount(): number {
    return this.#commits;
  }

  /** Starts a write at the end of this run of the event loop's microtasks, unless one is on its way. */
  #schedule(): void {
    this.#patience?.();
    this.#patience = undefined;
    if (this.#writing || this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      const [batch] = this.#waiting;
      if (this.#writing || batch === undefined || this.#failure !== undefined) return;
      this.#written = this.#write(batch);
    });
  }

  async #write(batch: OpenBatch): Promise<void> {
    this.#writing = true;
    const writes: StoreWrite[] = [];
    const after: (() => void)[] = [];
    const changed: string[] = [];
    const change = this.#changes.next();
    try {
      let drafted = 0;
      for (const dirty of batch.dirty) {
        if (writes.length >= batchWrites) break;
        drafted += 1;
        dirty.batch = undefined;
        const { changedId, committed } = dirty.draft(writes, change);
        if (committed !== undefined) after.push(committed);
        if (changedId !== undefined) changed.push(changedId);
      }
      batch.dirty = batch.dirty.slice(drafted);
      // Who was left out is answered with the next write: the same promise may not resolve yet.
      if (batch.dirty.length === 0) this.#waiting.shift();
      if (changed.length > 0) writes.push(...this.#changes.entry(change, changed));
      this.#pace.begun();
      if (writes.length > 0) await this.#store.write(writes);
    } catch (error) {
      this.#fail(error, batch);
      return;
    }
    this.#commits += 1;
    this.#writing = false;
    const waiting = this.#waiting.reduce((sum, { dirty }) => sum + dirty.length, 0);
    this.#pace.ended(after.length + waiting);
    for (const effect of after) effect();
    if (changed.length > 0) this.#changes.committed(change, changed);
    if (this.#waiting[0] !== batch) batch.resolve();
    if (this.#waiting.length > 0) this.#schedule();
  }

  #fail(error: unknown, batch: OpenBatch): void {
    this.#failure = error;
    this.#writing = false;
    this.#patience?.();
    batch.reject(error);
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
    this.#onFailure(error);
  }
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
