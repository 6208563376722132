// SPDX-License-Identifier: Apache-2.0

/**
 * Items that wait, first in first out for each name, with the names taking turns: a flood of one
 * name does not hold up the others.
 */
export class FairQueue<T> {
  /** Names with items, in the order of their turns. */
  readonly #names = new Map<string, { items: T[]; head: number }>();
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

  /**
   * Offers the first item of each name, one name after the other, as long as items are taken. A name
   * whose item is refused is left alone until the next call.
   */
  drain(take: (item: T, name: string) => boolean): void {
    const refused = new Set<string>();
    while (refused.size < this.#names.size) {
      for (const [name, line] of this.#names) {
        if (refused.has(name)) continue;
        const item = line.items[line.head];
        if (item === undefined) {
          this.#names.delete(name);
          continue;
        }
        line.head += 1;
        this.#size -= 1;
        if (take(item, name)) {
          this.#compact(name, line);
        } else {
          this.push(name, item, true);
          refused.add(name);
        }
      }
    }
  }

  #compact(name: string, line: { items: T[]; head: number }): void {
    if (line.head === line.items.length) {
      this.#names.delete(name);
    } else if (line.head > 1024 && line.head * 2 > line.items.length) {
      line.items.splice(0, line.head);
      line.head = 0;
    }
  }
}
