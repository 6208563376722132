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

  /** It has said that nothing of this name is registered with it. */
  deny(kind: NameKind, name: string): void {
    this.#had[kind].delete(name);
    const lacking = this.#lacking[kind];
    if (lacking.size < namesLimit) lacking.add(name);
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

/**
 * What workers had that have gone, and may be back soon: a restarted worker, or all of them after the
 * server itself was started again.
 */
export class Departures {
  readonly #clock: Clock;
  readonly #waitMs: () => number;
  /** When the last worker with a name left. */
  readonly #leftAt = {
    workflow: new Map<string, number>(),
    activity: new Map<string, number>(),
  };
  #allLeftAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, waitMs: () => number) {
    this.#clock = clock;
    this.#waitMs = waitMs;
  }

  /** A worker with these names has gone. */
  leave(kind: NameKind, names: Iterable<string>): void {
    const leftAt = this.#leftAt[kind];
    for (const [name, at] of leftAt) if (this.#remainingMs(at) <= 0) leftAt.delete(name);
    for (const name of names) leftAt.set(name, this.#clock.now());
  }

  /** Nobody is connected yet, and there may be work of before for anybody. */
  leaveAll(): void {
    this.#allLeftAt = this.#clock.now();
  }

  /** Milliseconds for which the return of a worker with this name is waited for; 0: it is not. */
  remainingMs(kind: NameKind, name: string): number {
    const leftAt = this.#leftAt[kind].get(name) ?? Number.NEGATIVE_INFINITY;
    return Math.max(0, this.#remainingMs(leftAt), this.#remainingMs(this.#allLeftAt));
  }

  /** A clock that was set back makes no wait longer. */
  #remainingMs(leftAt: number): number {
    const goneMs = this.#clock.now() - leftAt;
    return goneMs < 0 ? 0 : this.#waitMs() - goneMs;
  }
}
