// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../clock.js";

/** What a name is registered for. */
export type NameKind = "workflow" | "activity";

/** Names that are remembered of one worker, of each kind. */
const namesLimit = 10_000;

/** What a worker has shown by its answers to have and to lack. */
export class Repertoire {
  readonly #had = { workflow: new Set<string>(), activity: new Set<string>() };
  readonly #lacking = { workflow: new Set<string>(), activity: new Set<string>() };

  /** It has run this. */
  show(kind: NameKind, name: string): void {
    this.#lacking[kind].delete(name);
    const had = this.#had[kind];
    if (had.size < namesLimit) had.add(name);
  }

  /** It has said that nothing of this name is registered with it. True when that is news. */
  deny(kind: NameKind, name: string): boolean {
    this.#had[kind].delete(name);
    const lacking = this.#lacking[kind];
    if (lacking.has(name) || lacking.size >= namesLimit) return false;
    lacking.add(name);
    return true;
  }

  /** True when it has denied the name, and not run it since. */
  lacks(kind: NameKind, name: string): boolean {
    return this.#lacking[kind].has(name);
  }

  /** True when it has run this. */
  has(kind: NameKind, name: string): boolean {
    return this.#had[kind].has(name);
  }

  /** What it has run. */
  names(kind: NameKind): ReadonlySet<string> {
    return this.#had[kind];
  }
}

/** Names of a worker that has gone, while its return is waited for; undefined: any. */
type Gone = Readonly<Record<NameKind, ReadonlySet<string>>> | undefined;

/**
 * What workers had that have gone, and may be back soon: a restarted worker, or all of them after the
 * server itself was started again. The wait is a length: a clock that is set makes it neither longer
 * nor shorter.
 */
export class Departures {
  readonly #clock: Clock;
  readonly #waitMs: () => number;
  readonly #onOver: () => void;
  /** What ends the waits early. */
  readonly #cancels = new Set<() => void>();
  /** How many of them had a name. */
  readonly #counts = { workflow: new Map<string, number>(), activity: new Map<string, number>() };
  #anyCount = 0;
  #isClosed = false;

  /** `onOver` is called when a wait is over. */
  constructor(clock: Clock, waitMs: () => number, onOver: () => void) {
    this.#clock = clock;
    this.#waitMs = waitMs;
    this.#onOver = onOver;
  }

  /** A worker with these names has gone. */
  leave(gone: Readonly<Record<NameKind, ReadonlySet<string>>>): void {
    this.#wait(gone);
  }

  /** Nobody is connected yet, and there may be work of before for anybody. */
  leaveAll(): void {
    this.#wait(undefined);
  }

  /** True while the return of a worker with this name is waited for. */
  isAwaited(kind: NameKind, name: string): boolean {
    return this.#anyCount > 0 || this.#counts[kind].has(name);
  }

  /** Waits for nobody any more. */
  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#cancels) cancel();
  }

  #wait(gone: Gone): void {
    const waitMs = this.#waitMs();
    if (this.#isClosed || waitMs <= 0) return;
    this.#count(gone, 1);
    const cancel = this.#clock.setDelay(waitMs, () => {
      this.#cancels.delete(cancel);
      this.#count(gone, -1);
      this.#onOver();
    });
    this.#cancels.add(cancel);
  }

  #count(gone: Gone, by: 1 | -1): void {
    if (gone === undefined) {
      this.#anyCount += by;
      return;
    }
    for (const kind of ["workflow", "activity"] as const) {
      const counts = this.#counts[kind];
      for (const name of gone[kind]) {
        const count = (counts.get(name) ?? 0) + by;
        if (count > 0) counts.set(name, count);
        else counts.delete(name);
      }
    }
  }
}
