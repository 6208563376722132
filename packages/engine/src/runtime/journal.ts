// SPDX-License-Identifier: Apache-2.0

import type { Store, StoreWrite } from "../store/store.js";
import type { ChangeLog } from "./change-log.js";
import type { Clock } from "./clock.js";

/** Changes that were added to a batch. */
export interface Drafted {
  /** The instance whose row is written or deleted, if any. */
  readonly changedId?: string | undefined;
  /** Called once they are on disk: effects, notifications. */
  readonly committed?: () => void;
}

/** Something with changes that are not on disk. */
export interface Dirty {
  /**
   * Adds its changes since the last call to a batch, which is the commit of this change number. Not
   * called again for these changes.
   */
  draft(writes: StoreWrite[], change: number): Drafted;
}

/** A batch that is still being filled. */
interface OpenBatch {
  readonly durable: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Writes of one batch at most, so that one commit stays short. A single instance may exceed it. */
const batchWrites = 10_000;

/**
 * The one writer. Changes are collected while a batch is on its way to the disk, and go into the
 * next one together: one sync serves all of them. A failed write is final; the owner is told and
 * replaces the store.
 */
export class Journal {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #waitMs: number;
  readonly #onFailure: (error: unknown) => void;
  readonly #changes: ChangeLog;
  readonly #dirty = new Set<Dirty>();
  #open: OpenBatch | undefined;
  #writing = false;
  #scheduled = false;
  /** Ends the wait for more changes, while there is one. */
  #patience: (() => void) | undefined;
  #failure: unknown;
  #commits = 0;
  #written: Promise<void> = Promise.resolve();

  constructor(
    store: Store,
    changes: ChangeLog,
    { clock, commitWaitMs }: { readonly clock: Clock; readonly commitWaitMs: number },
    onFailure: (error: unknown) => void,
  ) {
    this.#store = store;
    this.#changes = changes;
    this.#clock = clock;
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
    this.#dirty.add(dirty);
    this.#open ??= openBatch();
    const { durable } = this.#open;
    if (urgent || this.#waitMs === 0) this.#schedule();
    else this.#patience ??= this.#clock.setDelay(this.#waitMs, () => this.#schedule());
    return durable;
  }

  /** Resolves when nothing waits to be written. @throws what the last write threw */
  async flush(): Promise<void> {
    while (this.#open !== undefined || this.#writing) {
      this.#schedule();
      await (this.#open?.durable ?? this.#written);
    }
  }

  /** True when nothing waits to be written. */
  isIdle(): boolean {
    return this.#open === undefined && !this.#writing;
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
      if (this.#writing || this.#open === undefined || this.#failure !== undefined) return;
      this.#written = this.#write(this.#open);
    });
  }

  async #write(batch: OpenBatch): Promise<void> {
    this.#open = undefined;
    this.#writing = true;
    const writes: StoreWrite[] = [];
    const after: (() => void)[] = [];
    const changed: string[] = [];
    const change = this.#changes.next();
    let rest = false;
    try {
      for (const dirty of this.#dirty) {
        if (writes.length >= batchWrites) break;
        this.#dirty.delete(dirty);
        const { changedId, committed } = dirty.draft(writes, change);
        if (committed !== undefined) after.push(committed);
        if (changedId !== undefined) changed.push(changedId);
      }
      // Who was left out is answered with the next batch: the same promise may not resolve yet.
      rest = this.#dirty.size > 0;
      if (rest) this.#open = batch;
      if (changed.length > 0) writes.push(...this.#changes.entry(change, changed));
      if (writes.length > 0) await this.#store.write(writes);
    } catch (error) {
      this.#fail(error, batch);
      return;
    }
    this.#commits += 1;
    this.#writing = false;
    for (const effect of after) effect();
    if (changed.length > 0) this.#changes.committed(change, changed);
    if (!rest) batch.resolve();
    if (this.#open !== undefined) this.#schedule();
  }

  #fail(error: unknown, batch: OpenBatch): void {
    this.#failure = error;
    this.#writing = false;
    this.#patience?.();
    this.#dirty.clear();
    const open = this.#open;
    this.#open = undefined;
    batch.reject(error);
    open?.reject(error);
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
  return { durable: promise, resolve, reject };
}
