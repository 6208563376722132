// SPDX-License-Identifier: Apache-2.0

/**
 * Large objects that come and go all the time, such as open calls. It is to a `Set` what a `TurnoverMap` is to a
 * `Map`, and needs no table at all: who adds a member keeps its place.
 */
export class TurnoverSet<T extends object> {
  readonly #members: (T | undefined)[] = [];
  readonly #free: number[] = [];

  /** How many there are. */
  get size(): number {
    return this.#members.length - this.#free.length;
  }

  /** Adds what is not there yet. Gives the place at which it is deleted. */
  add(member: T): number {
    const place = this.#free.pop() ?? this.#members.length;
    this.#members[place] = member;
    return place;
  }

  /** Deletes a member from its place; false when it is not there any more. */
  delete(place: number, member: T): boolean {
    if (this.#members[place] !== member) return false;
    this.#members[place] = undefined;
    this.#free.push(place);
    return true;
  }

  /** Members with their places, in no order. They may be deleted meanwhile. */
  *[Symbol.iterator](): Generator<[number, T], void> {
    for (const [place, member] of this.#members.entries()) {
      if (member !== undefined) yield [place, member];
    }
  }
}
