// SPDX-License-Identifier: Apache-2.0

import type { Store, StoreWrite } from "../store/store.js";
import type { Clock } from "./clock.js";

/** Something with changes that are not on disk. */
export interface Dirty {
  /**
   * Adds its changes since the last call to a batch. Returns what to do once they are on disk:
   * effects, notifications. Not called again for these changes.
   */
  draft(writes: StoreWrite[]): () => void;
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
  readonly #dirty = new Set<Dirty>();
  #open: OpenBatch | undefined;
  #writing = false;
  #scheduled = false;
  /** Ends the wait for more changes, while there is one. */
  #patience: (() => void) | undefined;
  #failure: unknown;
  #commits = 0;
  #written: Promise<void> = Promise.resolve();

  constructor(store: Store, clock: Clock, waitMs: number, onFailure: (error: unknown) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#waitMs = waitMs;
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
    let rest = false;
    try {
      for (const dirty of this.#dirty) {
        if (writes.length >= batchWrites) break;
        this.#dirty.delete(dirty);
        after.push(dirty.draft(writes));
      }
      // Who was left out is answered with the next batch: the same promise may not resolve yet.
      rest = this.#dirty.size > 0;
      if (rest) this.#open = batch;
      if (writes.length > 0) await this.#store.write(writes);
    } catch (error) {
      this.#fail(error, batch);
      return;
    }
    this.#commits += 1;
    this.#writing = false;
    for (const effect of after) effect();
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
