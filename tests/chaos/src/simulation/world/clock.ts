// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "@pawl/engine";
import type { Owner, Scheduler } from "./scheduler.ts";

/** After this long a timer looks at the clock again. */
const lookAgainMs = 30_000;

/** The wall clock of the machine that all lives run on: it may be set forward and back. */
export class WallClock {
  readonly #scheduler: Scheduler;
  #offset = Date.UTC(2030, 0, 1);
  #latest = 0;
  /** True when it was ever set back. */
  wentBack = false;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  now(): number {
    return Math.floor(this.#offset + this.#scheduler.now);
  }

  /** Sets the clock by so many milliseconds. */
  jump(byMs: number): void {
    this.#latest = Math.max(this.#latest, this.now());
    this.#offset += byMs;
    this.wentBack ||= byMs < 0;
  }

  /** Sets the clock to the latest instant that it has shown, unless it is later. */
  catchUp(): void {
    this.jump(Math.max(this.#latest - this.now(), 0));
  }

  /** The clock as one process sees it: like the system's, it notices a jump when it looks again. */
  of(owner: Owner): Clock {
    return {
      now: () => this.now(),
      setTimer: (at, callback) => this.#setTimer(owner, at, callback),
      setDelay: (waitMs, callback) => this.#scheduler.after(waitMs, owner, "delay", callback),
    };
  }

  #setTimer(owner: Owner, at: number, callback: () => void): () => void {
    let cancel = (): void => {};
    const arm = (): void => {
      const leftMs = Math.max(at - this.#offset - this.#scheduler.now, 0);
      const waitMs = Math.min(leftMs, lookAgainMs);
      const ring = (): void => (this.now() >= at ? callback() : arm());
      cancel = this.#scheduler.after(waitMs, owner, "alarm", ring, "alarm");
    };
    arm();
    return () => cancel();
  }
}
