// SPDX-License-Identifier: Apache-2.0

import { Tally } from "../tally.js";

/** A limit that holds work back. */
export interface Hold {
  /** The name that the limit is for; absent: it is for all names together. */
  readonly name?: string;
  readonly limit: number;
}

/** How much of one kind of work is with workers at once, in all and by name, and how much may be. */
export class Gate {
  #limit = Number.POSITIVE_INFINITY;
  #limitOf: ReadonlyMap<string, number> = new Map();
  readonly #held = new Tally();

  /** A limit of 0, or less, is none. */
  constructor(limit?: number, limitOf?: Readonly<Record<string, number>>) {
    this.setLimits(limit, limitOf);
  }

  /** Other limits hold from now on; what is with workers stays there. */
  setLimits(limit = 0, limitOf: Readonly<Record<string, number>> = {}): void {
    this.#limit = limit > 0 ? limit : Number.POSITIVE_INFINITY;
    this.#limitOf = new Map(Object.entries(limitOf).filter(([, most]) => most > 0));
  }

  /** The limit that holds an item of this name back for now; undefined: none does. */
  holdOf(name: string): Hold | undefined {
    const limit = this.#limitOf.get(name);
    if (limit !== undefined && this.#held.of(name) >= limit) return { name, limit };
    return this.#held.total >= this.#limit ? { limit: this.#limit } : undefined;
  }

  /** An item goes to a worker. */
  enter(name: string): void {
    this.#held.add(name);
  }

  /** It is no longer with the worker. */
  leave(name: string): void {
    this.#held.remove(name);
  }
}
