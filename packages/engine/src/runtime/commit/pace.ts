// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../clock.js";

/** Changes are not made two batches when there are fewer of them than twice this. */
const leastSize = 32;
/** They are made three when there are as many as three times this. */
const ampleSize = 64;
/** How much of what was measured counts with the next write. */
const memory = 0.75;

/** What says how large batches are; it is told of all writes. */
export type BatchPace = Pick<Pace, "batchSize" | "begun" | "added" | "ended">;

/**
 * How large batches should be. Instances whose changes are written together go on together, and come
 * back together: while their batch is on its way this thread has nothing to do, and while it makes
 * their steps the disk has nothing to do. Where the disk is the quicker one of the two, halves
 * overlap, and thirds, where there are enough, leave no gap: one is written, one is ready, and one is
 * being made. Where it is the slower one, as few syncs as can be are best. A clock that jumps misleads it
 * for a few writes, and no more comes of that than batches of another size.
 */
export class Pace {
  readonly #clock: Clock;
  #batchSize = Number.POSITIVE_INFINITY;
  /** When the last change came, or the write began. */
  #activeAt = 0;
  #endedAt: number;
  /** Of the last writes: time from end to end, and time of it in which nothing but the disk worked. */
  #totalMs = 0;
  #idleMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#endedAt = clock.now();
  }

  /** Changes that a batch takes at most. */
  get batchSize(): number {
    return this.#batchSize;
  }

  /** A write begins. */
  begun(): void {
    this.#activeAt = this.#clock.now();
  }

  /** A change has come while a write is on its way. */
  added(): void {
    this.#activeAt = this.#clock.now();
  }

  /** A write has ended; `changes` is how many it had, and how many wait. */
  ended(changes: number): void {
    const now = this.#clock.now();
    this.#totalMs = this.#totalMs * memory + Math.max(now - this.#endedAt, 0);
    this.#idleMs = this.#idleMs * memory + Math.max(now - this.#activeAt, 0);
    this.#endedAt = now;
    const splits = changes >= 2 * leastSize && this.#idleMs * 2 < this.#totalMs;
    const parts = changes < 3 * ampleSize ? 2 : 3;
    this.#batchSize = splits ? Math.ceil(changes / parts) : Number.POSITIVE_INFINITY;
  }
}
