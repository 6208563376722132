// SPDX-License-Identifier: Apache-2.0

/** The items of one name; those before `head` are gone. */
interface Line<T> {
  items: T[];
  head: number;
}

/** Dropped items are swept out once there are more of them than of others, and at least this many. */
const sweepFrom = 1024;

/**
 * Items that wait, first in first out for each name, with the names taking turns: a flood of one
 * name does not hold up the others.
 */
export class FairQueue<T> {
  /** Names with items, in the order of their turns: one that had its turn goes to the end. */
  readonly #names = new Map<string, Line<T>>();
  /** Items that were taken out, and are skipped when their turn comes. */
  readonly #dropped = new Set<T>();
  #size = 0;

  /** Items that wait. */
  get size(): number {
    return this.#size;
  }

  /** Adds an item to the end of its name's line, or to its front. */
  push(name: string, item: T, front = false): void {
    let line = this.#names.get(name);
    if (line === undefined) {
      line = { items: [], head: 0 };
      this.#names.set(name, line);
    }
    this.#size += 1;
    if (!front) line.items.push(item);
    else if (line.head > 0) line.items[--line.head] = item;
    else line.items.unshift(item);
  }

  /** Every item that waits. */
  items(): T[] {
    return [...this.#names.values()].flatMap(({ items, head }) =>
      items.slice(head).filter((item) => !this.#dropped.has(item)),
    );
  }

  /** Takes out all that need not wait any more. */
  keep(isWanted: (item: T) => boolean): void {
    for (const item of this.items()) if (!isWanted(item)) this.drop(item);
  }

  /** Takes an item out that waits. */
  drop(item: T): void {
    this.#dropped.add(item);
    this.#size -= 1;
    if (this.#dropped.size >= sweepFrom && this.#dropped.size > this.#size) this.#sweep();
  }

  /**
   * Offers the first item of each name, one name after the other, as long as items are taken. A name
   * whose item is refused is left alone until the next call.
   */
  drain(take: (item: T, name: string) => boolean): void {
    // A name that goes to the end comes up again, until it is refused or has no more.
    for (const [name, line] of this.#names) {
      const item = this.#shift(line);
      // Taking an item may add others, and drain the queue from within.
      if (item !== undefined && !take(item, name)) this.push(name, item, true);
      else if (this.#names.get(name) === line) this.#rotate(name, line);
    }
  }

  /** Takes the first item of a line off it. */
  #shift(line: Line<T>): T | undefined {
    for (;;) {
      const item = line.items[line.head];
      if (item === undefined) return undefined;
      line.head += 1;
      if (this.#dropped.delete(item)) continue;
      this.#size -= 1;
      return item;
    }
  }

  #sweep(): void {
    for (const [name, line] of this.#names) {
      line.items = line.items.slice(line.head).filter((item) => !this.#dropped.has(item));
      line.head = 0;
      if (line.items.length === 0) this.#names.delete(name);
    }
    this.#dropped.clear();
  }

  #rotate(name: string, line: Line<T>): void {
    this.#names.delete(name);
    if (line.head === line.items.length) return;
    if (line.head > 1024 && line.head * 2 > line.items.length) {
      line.items.splice(0, line.head);
      line.head = 0;
    }
    this.#names.set(name, line);
  }
}
