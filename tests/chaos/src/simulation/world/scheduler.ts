// SPDX-License-Identifier: Apache-2.0

import TinyQueue from "tinyqueue";
import type { Random } from "../../random.ts";
import type { Trace } from "./trace.ts";

/** Who does something later: what a dead owner had in mind does not happen. */
export interface Owner {
  isAlive: boolean;
}

/** "work" will happen soon; "alarm" waits for an instant, and is no sign that something goes on. */
export type EntryKind = "work" | "alarm";

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly kind: EntryKind;
  readonly owner: Owner;
  readonly label: string;
  run: (() => void) | undefined;
}

/** Steps for each turn of the event loop. */
const stepsAtOnce = 16;

/**
 * The one source of order: everything that takes time asks here, and one thing happens at a time.
 * Time is virtual: it jumps to the next entry. Entries of one instant come in an order that the seed
 * decides.
 */
export class Scheduler {
  readonly random: Random;
  readonly trace: Trace;
  readonly #queue = new TinyQueue<Entry>([], (a, b) => a.at - b.at || a.order - b.order);
  #now = 0;
  #work = 0;
  #steps = 0;

  constructor(random: Random, trace: Trace) {
    this.random = random;
    this.trace = trace;
  }

  /** Milliseconds since the beginning; never goes back. */
  get now(): number {
    return this.#now;
  }

  /** Entries carried out so far. */
  get steps(): number {
    return this.#steps;
  }

  /** True when nothing but alarms is left. */
  isQuiet(): boolean {
    return this.#work === 0;
  }

  /** Does something later. Returns a cancel. */
  after(
    waitMs: number,
    owner: Owner,
    label: string,
    run: () => void,
    kind: EntryKind = "work",
  ): () => void {
    const order = this.random.next();
    const entry: Entry = { at: this.#now + waitMs, order, kind, owner, label, run };
    this.#queue.push(entry);
    if (kind === "work") this.#work += 1;
    return () => this.#drop(entry);
  }

  /** Resolves after a length. */
  sleep(waitMs: number, owner: Owner, label: string): Promise<void> {
    return new Promise((resolve) => void this.after(waitMs, owner, label, resolve));
  }

  /**
   * Carries entries out, each in an immediate of its own, so that all promises that one settles have
   * run before the next; until it is so, or nothing is left, or after so many steps.
   */
  run(isDone: () => boolean, maxSteps: number): Promise<"done" | "empty" | "endless"> {
    const last = this.#steps + maxSteps;
    return new Promise((resolve, reject) => {
      let isOver = false;
      const end = (settle: () => void): void => {
        isOver = true;
        settle();
      };
      const turn = (): void => {
        if (isOver) return;
        try {
          if (isDone()) end(() => resolve("done"));
          else if (this.#steps >= last) end(() => resolve("endless"));
          else if (!this.#step()) end(() => resolve("empty"));
        } catch (error) {
          end(() => reject(error));
        }
      };
      // Several for each turn of the event loop, which costs more than a step.
      const turns = (): void => {
        if (isOver) return;
        for (let left = stepsAtOnce; left > 0; left -= 1) setImmediate(turn);
        setImmediate(turns);
      };
      turns();
    });
  }

  #drop(entry: Entry): void {
    if (entry.run === undefined) return;
    entry.run = undefined;
    if (entry.kind === "work") this.#work -= 1;
  }

  #step(): boolean {
    for (let entry = this.#queue.pop(); entry !== undefined; entry = this.#queue.pop()) {
      const { run, owner } = entry;
      if (run === undefined) continue;
      this.#drop(entry);
      if (!owner.isAlive) continue;
      this.#now = Math.max(this.#now, entry.at);
      this.#steps += 1;
      this.trace.note(`${this.#now.toFixed(3)} ${entry.label}`);
      run();
      return true;
    }
    return false;
  }
}
