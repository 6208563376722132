// SPDX-License-Identifier: Apache-2.0

/**
 * A map whose entries come and go all the time, for large values. What it does is what a `Map` does;
 * what differs is what it costs the garbage collector. A `Map` that is written to and deleted from goes
 * over to a new table now and then, and V8 leaves the old table with its entries and a link to the new
 * one. Once one such table is old enough for the old generation it is garbage that nobody collects before the
 * next major collection, and all tables that follow it, and whatever was in them, are kept with it. Here
 * the tables hold keys and small numbers only. In the engine under load this was the larger part of all
 * that the collector did: a fifth of the CPU time.
 */
export class TurnoverMap<K extends string | number, V> {
  readonly #places = new Map<K, number>();
  readonly #values: (V | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#places.size;
  }

  has(key: K): boolean {
    return this.#places.has(key);
  }

  get(key: K): V | undefined {
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.#values[place];
  }

  /** Sets a value; a key that is there already keeps its place in the order. */
  set(key: K, value: V): void {
    const known = this.#places.get(key);
    const place = known ?? this.#free.pop() ?? this.#values.length;
    if (known === undefined) this.#places.set(key, place);
    this.#values[place] = value;
  }

  /** Deletes an entry; true when there was one. */
  delete(key: K): boolean {
    const place = this.#places.get(key);
    if (place === undefined) return false;
    this.#places.delete(key);
    this.#values[place] = undefined;
    this.#free.push(place);
    return true;
  }

  /** Deletes all entries. */
  clear(): void {
    this.#places.clear();
    this.#values.length = 0;
    this.#free.length = 0;
  }

  /** Keys, in the order in which they were set first. Entries may be deleted meanwhile. */
  keys(): IterableIterator<K> {
    return this.#places.keys();
  }

  /** Values in the order of their keys. */
  *values(): Generator<V, void> {
    for (const [, value] of this) yield value;
  }

  *[Symbol.iterator](): Generator<[K, V], void> {
    for (const [key, place] of this.#places) {
      // A place that is in the map has a value: `undefined` may be one.
      yield [key, this.#values[place] as V];
    }
  }
}
