// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../src/runtime/clock.js";

interface Alarm {
  /** Of one that is not bound to an instant, moved along when the clock is set back. */
  at: number;
  readonly isDelay: boolean;
  readonly callback: () => void;
}

/** A clock that moves only when it is told to. */
export class ManualClock implements Clock {
  #now: number;
  readonly #alarms = new Set<Alarm>();

  constructor(now = 1_000_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  setTimer(at: number, callback: () => void): () => void {
    return this.#set({ at, isDelay: false, callback });
  }

  #set(alarm: Alarm): () => void {
    const { at } = alarm;
    this.#alarms.add(alarm);
    // What is due already is called back soon, but never from within this call.
    if (at <= this.#now) setImmediate(() => this.#ring(alarm));
    return () => this.#alarms.delete(alarm);
  }

  /** Passes as time is moved on. */
  setDelay(waitMs: number, callback: () => void): () => void {
    return this.#set({ at: this.#now + waitMs, isDelay: true, callback });
  }

  /** Alarms that are set. */
  alarmCount(): number {
    return this.#alarms.size;
  }

  /** Jumps to an instant and calls back what is due by then, in order. May jump back. */
  moveTo(at: number): void {
    this.#now = at;
    const due = [...this.#alarms].filter((alarm) => alarm.at <= at).sort((a, b) => a.at - b.at);
    for (const alarm of due) this.#ring(alarm);
  }

  /** Sets the clock back: instants are further away, lengths stay. */
  setBack(lengthMs: number): void {
    this.#now -= lengthMs;
    for (const alarm of this.#alarms) if (alarm.isDelay) alarm.at -= lengthMs;
  }

  /** Moves on by a length. */
  advance(lengthMs: number): void {
    this.moveTo(this.#now + lengthMs);
  }

  #ring(alarm: Alarm): void {
    if (this.#alarms.delete(alarm)) alarm.callback();
  }
}

/**
 * Lets everything that can go on do so, up to what it waits for next: the smallest step between two
 * moments of an engine over a store in memory, whose reads of one tick are done together.
 */
export function tick(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
