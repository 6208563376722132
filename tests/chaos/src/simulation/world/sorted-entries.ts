// SPDX-License-Identifier: Apache-2.0

import type { Entry, KeyRange } from "@pawl/engine/testing";

/** Entries in the order of their keys' bytes. */
export class SortedEntries {
  readonly #keys: string[];
  readonly #entries: Map<string, Entry>;
  /** How many there are of each beginning: most ranges that an engine reads are empty. */
  readonly #counts: Map<number, number>;

  constructor(
    keys: string[] = [],
    entries = new Map<string, Entry>(),
    counts = new Map<number, number>(),
  ) {
    this.#keys = keys;
    this.#entries = entries;
    this.#counts = counts;
  }

  /** The entries as they are now, on their own. */
  copy(): SortedEntries {
    return new SortedEntries([...this.#keys], new Map(this.#entries), new Map(this.#counts));
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#entries.get(textOf(key))?.[1];
  }

  range({ gte, lt, limit = Number.POSITIVE_INFINITY, reverse = false }: KeyRange): Entry[] {
    if (isOfOneBeginning(gte, lt) && !this.#counts.get(beginningOf(gte))) return [];
    const from = this.#find(textOf(gte));
    const to = this.#find(textOf(lt));
    const found: Entry[] = [];
    const count = Math.min(to - from, limit);
    for (let at = 0; at < count; at += 1) {
      const entry = this.#entries.get(this.#keys[reverse ? to - 1 - at : from + at] ?? "");
      if (entry !== undefined) found.push(entry);
    }
    return found;
  }

  /** True when there was no such entry. */
  put(key: Uint8Array, value: Uint8Array): boolean {
    const text = textOf(key);
    const before = this.#entries.get(text);
    this.#entries.set(text, [before?.[0] ?? Buffer.from(text, "latin1"), value]);
    if (before !== undefined) return false;
    this.#keys.splice(this.#find(text), 0, text);
    this.#count(key, 1);
    return true;
  }

  /** True when there was such an entry. */
  delete(key: Uint8Array): boolean {
    const text = textOf(key);
    if (!this.#entries.delete(text)) return false;
    this.#keys.splice(this.#find(text), 1);
    this.#count(key, -1);
    return true;
  }

  #count(key: Uint8Array, by: number): void {
    const beginning = beginningOf(key);
    this.#counts.set(beginning, (this.#counts.get(beginning) ?? 0) + by);
  }

  /** Index of the first key that is not lower. */
  #find(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] ?? "") < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What a key begins with: its partition and its kind. */
const beginningBytes = 3;

function beginningOf(key: Uint8Array): number {
  return ((key[0] ?? 0) << 16) | ((key[1] ?? 0) << 8) | (key[2] ?? 0);
}

/** True when all keys of a range begin as its first one does. */
function isOfOneBeginning(gte: Uint8Array, lt: Uint8Array): boolean {
  if (gte.length < beginningBytes || lt.length < beginningBytes) return false;
  const steps = beginningOf(lt) - beginningOf(gte);
  return steps === 0 || (steps === 1 && lt.length === beginningBytes);
}

/** One character a byte: its order is the order of the bytes. */
export function textOf(bytes: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = bytes;
  const own = Buffer.isBuffer(bytes) ? bytes : Buffer.from(buffer, byteOffset, byteLength);
  return own.toString("latin1");
}
