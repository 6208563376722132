// SPDX-License-Identifier: Apache-2.0

import type { Engine } from "@pawl/engine";
import type { VirtualClock } from "./virtual-clock.js";

/** Timers from here on (9999-12-31) stand for waits without a timeout: they never fire. */
const never = Date.UTC(9999, 11, 31);

/** What the skipper needs of an engine. */
export type SkippableEngine = Pick<Engine, "idle" | "nextTimerAt">;

/**
 * Moves virtual time to the next durable timer whenever somebody waits and the engine has nothing
 * left to do: no turn, no activity, no commit.
 */
export class TimeSkipper {
  readonly #engine: SkippableEngine;
  readonly #clock: VirtualClock;
  #waiting = 0;
  #commands = 0;
  #isSkipping = false;
  #wake: () => void = () => {};

  constructor(engine: SkippableEngine, clock: VirtualClock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /** Skips time while the answer is awaited. */
  async during<T>(wait: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const answer = wait();
    void this.#skip();
    try {
      return await answer;
    } finally {
      this.#waiting -= 1;
      this.#wake();
    }
  }

  /** Says that somebody asked something of the engine, so that it may not be idle any more. */
  commanded(): void {
    this.#commands += 1;
    this.#wake();
  }

  /** Goes to an instant by way of every durable timer before it; resolves when all is idle. */
  async advanceTo(at: number): Promise<void> {
    for (;;) {
      await this.#engine.idle();
      const next = await this.#nextTimerAt();
      if (next === undefined || next > at) break;
      this.#clock.jumpTo(next);
    }
    this.#clock.jumpTo(at);
    await this.#engine.idle();
  }

  async #skip(): Promise<void> {
    if (this.#isSkipping) return;
    this.#isSkipping = true;
    try {
      while (this.#waiting > 0) await this.#step();
    } catch {
      // The engine was closed: whoever waits hears it from the engine.
    } finally {
      this.#isSkipping = false;
    }
  }

  async #step(): Promise<void> {
    const commands = this.#commands;
    await this.#engine.idle();
    // What the engine answered last reaches who waits for it before time moves.
    await new Promise((resolve) => setImmediate(resolve));
    const next = this.#waiting === 0 ? undefined : await this.#nextTimerAt();
    if (this.#waiting === 0 || commands !== this.#commands) return;
    if (next !== undefined) {
      this.#clock.jumpTo(next);
      return;
    }
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  async #nextTimerAt(): Promise<number | undefined> {
    const next = await this.#engine.nextTimerAt();
    return next !== undefined && next < never ? next : undefined;
  }
}
