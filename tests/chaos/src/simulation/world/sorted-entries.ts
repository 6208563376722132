// SPDX-License-Identifier: Apache-2.0

import type { Entry, KeyRange } from "@pawl/engine/testing";

/** Entries in the order of their keys' bytes. */
export class SortedEntries {
  readonly #keys: string[];
  readonly #values: Map<string, Uint8Array>;

  constructor(keys: string[] = [], values = new Map<string, Uint8Array>()) {
    this.#keys = keys;
    this.#values = values;
  }

  /** The entries as they are now, on their own. */
  copy(): SortedEntries {
    return new SortedEntries([...this.#keys], new Map(this.#values));
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(textOf(key));
  }

  range({ gte, lt, limit, reverse }: KeyRange): Entry[] {
    const from = this.#find(textOf(gte));
    const to = this.#find(textOf(lt));
    const keys = this.#keys.slice(from, to);
    if (reverse === true) keys.reverse();
    return keys.slice(0, limit ?? keys.length).map((key) => {
      return [Buffer.from(key, "latin1"), this.#values.get(key) ?? new Uint8Array()] as const;
    });
  }

  /** True when there was no such entry. */
  put(key: Uint8Array, value: Uint8Array): boolean {
    const text = textOf(key);
    const isNew = !this.#values.has(text);
    if (isNew) this.#keys.splice(this.#find(text), 0, text);
    this.#values.set(text, value);
    return isNew;
  }

  /** True when there was such an entry. */
  delete(key: Uint8Array): boolean {
    const text = textOf(key);
    if (!this.#values.delete(text)) return false;
    this.#keys.splice(this.#find(text), 1);
    return true;
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

/** One character a byte: its order is the order of the bytes. */
export function textOf(bytes: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = bytes;
  const own = Buffer.isBuffer(bytes) ? bytes : Buffer.from(buffer, byteOffset, byteLength);
  return own.toString("latin1");
}
