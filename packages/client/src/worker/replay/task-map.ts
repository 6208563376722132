// SPDX-License-Identifier: Apache-2.0

/**
 * Values by the numbers of tasks, in the order in which they were set. Most executions have one task at
 * a time: a value that is alone is a field. A `Map` for it would be 200 bytes for each instance that is
 * held, and V8 makes a `Map` a new table whenever its last entry is deleted: with every step.
 */
export class TaskMap<V extends object> {
  #id = -1;
  #alone: V | undefined;
  /** All values, from the moment there are two until there are none. */
  #many: Map<number, V> | undefined;

  get size(): number {
    return this.#many?.size ?? (this.#alone === undefined ? 0 : 1);
  }

  get(id: number): V | undefined {
    if (this.#many !== undefined) return this.#many.get(id);
    return id === this.#id ? this.#alone : undefined;
  }

  /** Sets the value of a number that has none. */
  set(id: number, value: V): void {
    if (this.#many !== undefined) {
      this.#many.set(id, value);
    } else if (this.#alone !== undefined) {
      this.#many = new Map([
        [this.#id, this.#alone],
        [id, value],
      ]);
      this.#alone = undefined;
    } else {
      this.#id = id;
      this.#alone = value;
    }
  }

  /** Deletes a value; true when there was one. */
  delete(id: number): boolean {
    if (this.get(id) === undefined) return false;
    if (this.#many !== undefined && this.#many.size > 1) return this.#many.delete(id);
    this.clear();
    return true;
  }

  /** Deletes all values. */
  clear(): void {
    this.#alone = undefined;
    this.#many = undefined;
  }

  /** What a function makes of each value. */
  map<T>(make: (value: V, id: number) => T): T[] {
    if (this.#many !== undefined) return Array.from(this.#many, ([id, value]) => make(value, id));
    return this.#alone === undefined ? [] : [make(this.#alone, this.#id)];
  }
}
