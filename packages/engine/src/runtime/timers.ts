// SPDX-License-Identifier: Apache-2.0

import TinyQueue from "tinyqueue";
import { parseTimerKey, partitionOf, partitions, type TimerKey, timerRange } from "../store/key.js";
import type { Store } from "../store/store.js";
import type { Clock } from "./clock.js";

/** Only timers due within this length are held in memory. */
const horizonMs = 60_000;
/** Timers read from the store at a time, from each partition. */
const readLimit = 10_000;
/**
 * Timers that are being fired at once. Enough that their commits are shared; each has its instance in
 * memory, and reads on their way to the store.
 */
const firedAtOnce = 1024;

/** A timer that is held in memory. */
interface NearTimer {
  readonly timer: TimerKey;
  readonly partition: number;
}

/**
 * By instant; those of one instant as their instances lie in the store, which makes what many of them
 * read and write together neighbours there; those of one instance as it made them.
 */
function compare(a: NearTimer, b: NearTimer): number {
  const inStore = a.timer.fireAt - b.timer.fireAt || a.partition - b.partition;
  if (inStore !== 0) return inStore;
  if (a.timer.instanceId !== b.timer.instanceId) {
    return a.timer.instanceId < b.timer.instanceId ? -1 : 1;
  }
  return a.timer.timerId - b.timer.timerId;
}

/**
 * Durable timers. All are in the store, ordered by instant; those of the near future also in
 * memory, with one timer of the clock for the next one.
 */
export class Timers {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #fire: (timer: TimerKey) => Promise<void>;
  readonly #onFailure: (error: unknown) => void;
  readonly #near = new TinyQueue<NearTimer>([], compare);
  /** Every stored timer due before this instant is in memory. */
  #horizon = 0;
  #cancel: () => void = () => {};
  #wakeAt = Number.POSITIVE_INFINITY;
  #reading = false;
  /** Timers that are being fired. */
  #firing = 0;
  #closed = false;

  constructor(
    store: Store,
    clock: Clock,
    fire: (timer: TimerKey) => Promise<void>,
    onFailure: (error: unknown) => void,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#fire = fire;
    this.#onFailure = onFailure;
  }

  /** Reads the timers of the near future from the store. */
  async open(): Promise<void> {
    await this.#advance();
  }

  /** Takes a timer that is in the store. */
  arm(timer: TimerKey): void {
    if (timer.fireAt < this.#horizon) {
      this.#near.push({ timer, partition: partitionOf(timer.instanceId) });
    }
    this.#schedule();
  }

  /** True while timers are being read or fired. */
  isBusy(): boolean {
    return this.#reading || this.#firing > 0;
  }

  /** Instant of the next timer in the store or in memory; undefined when there is none. */
  async nextAt(): Promise<number | undefined> {
    const stored = await Promise.all(
      partitions.map(async (partition) => {
        const range = timerRange(partition, Number.MAX_SAFE_INTEGER);
        const [first] = await this.#store.range({ ...range, limit: 1 });
        return first === undefined ? Number.POSITIVE_INFINITY : parseTimerKey(first[0]).fireAt;
      }),
    );
    const next = Math.min(...stored);
    return Number.isFinite(next) ? next : undefined;
  }

  /** No timer fires any more. */
  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  /** Fires what is due, and sees to it that it is called again in time. */
  #wake(): void {
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.#fireDue();
    if (this.#clock.now() >= this.#horizon - horizonMs / 2) {
      this.#advance().catch(this.#onFailure);
    } else {
      this.#schedule();
    }
  }

  /** Fires what is due, as far as there is room; the rest as soon as there is. */
  #fireDue(): void {
    const now = this.#clock.now();
    while (this.#firing < firedAtOnce && !this.#closed) {
      const next = this.#near.peek()?.timer;
      if (next === undefined || next.fireAt > now) return;
      this.#near.pop();
      this.#firing += 1;
      void this.#fire(next).finally(() => {
        this.#firing -= 1;
        this.#fireDue();
        this.#schedule();
      });
    }
  }

  #schedule(): void {
    if (this.#closed) return;
    const refill = this.#horizon - horizonMs / 2;
    const next = this.#firing < firedAtOnce ? this.#near.peek()?.timer.fireAt : undefined;
    const at = Math.min(next ?? Number.POSITIVE_INFINITY, refill);
    if (at >= this.#wakeAt) return;
    this.#cancel();
    this.#wakeAt = at;
    this.#cancel = this.#clock.setTimer(at, () => this.#wake());
  }

  /** Moves the horizon on. */
  async #advance(): Promise<void> {
    if (this.#reading || this.#closed) return;
    this.#reading = true;
    try {
      const from = this.#horizon;
      // What is armed from now on is held in memory; what is read may be in it twice, which is harmless.
      this.#horizon = Math.max(this.#clock.now() + horizonMs, from);
      await Promise.all(partitions.map((partition) => this.#read(partition, from)));
    } finally {
      this.#reading = false;
    }
    this.#schedule();
  }

  async #read(partition: number, from: number): Promise<void> {
    const { lt } = timerRange(partition, this.#horizon);
    let { gte } = { gte: timerRange(partition, 0).gte };
    if (from > 0) gte = timerRange(partition, from).lt;
    for (;;) {
      const entries = await this.#store.range({ gte, lt, limit: readLimit });
      for (const [key] of entries) this.#near.push({ timer: parseTimerKey(key), partition });
      const last = entries.at(-1);
      if (entries.length < readLimit || last === undefined) return;
      gte = Buffer.concat([last[0], Buffer.alloc(1)]);
    }
  }
}
