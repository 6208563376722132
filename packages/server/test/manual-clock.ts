// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "@pawl/engine";

/** A clock that moves only when it is told to. */
export class ManualClock implements Clock {
  #now = 1_000_000;
  readonly #alarms = new Map<() => void, number>();

  now(): number {
    return this.#now;
  }

  setTimer(at: number, callback: () => void): () => void {
    const ring = (): void => callback();
    this.#alarms.set(ring, at);
    return () => this.#alarms.delete(ring);
  }

  setDelay(waitMs: number, callback: () => void): () => void {
    return this.setTimer(this.#now + waitMs, callback);
  }

  /** Alarms that are set. */
  alarmCount(): number {
    return this.#alarms.size;
  }

  /** Moves on by a length, and calls back what is due by then. */
  advance(lengthMs: number): void {
    this.#now += lengthMs;
    for (const [ring, at] of [...this.#alarms]) {
      if (at <= this.#now && this.#alarms.delete(ring)) ring();
    }
  }
}
