// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "@pawl/engine";

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Time that stands still until it is told to jump. */
export class VirtualClock implements Clock {
  #now: number;
  readonly #timers = new Set<Timer>();

  /** Starts at an instant, in milliseconds since 1970. */
  constructor(startAt: number) {
    this.#now = startAt;
  }

  now(): number {
    return this.#now;
  }

  setTimer(at: number, callback: () => void): () => void {
    const timer = { at, callback };
    this.#timers.add(timer);
    if (at <= this.#now) setImmediate(() => this.#fire(timer));
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Passes in real time: what waits for a length and not for an instant is not skipped. */
  setDelay(waitMs: number, callback: () => void): () => void {
    const handle = setTimeout(callback, waitMs);
    return () => clearTimeout(handle);
  }

  /**
   * Moves to a later instant and calls back whatever is due on the way, in order. Timers that the
   * callbacks set are called back too, when they are due.
   */
  jumpTo(at: number): void {
    for (let next = this.#next(); next !== undefined && next.at <= at; next = this.#next()) {
      this.#now = Math.max(this.#now, next.at);
      this.#fire(next);
    }
    this.#now = Math.max(this.#now, at);
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (first === undefined || timer.at < first.at) first = timer;
    }
    return first;
  }

  #fire(timer: Timer): void {
    if (this.#timers.delete(timer)) timer.callback();
  }
}
