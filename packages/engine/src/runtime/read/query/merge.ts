// SPDX-License-Identifier: Apache-2.0

import TinyQueue from "tinyqueue";
import { afterPrefix, following } from "../../../store/scan.js";
import type { Entry, StoreReader } from "../../../store/store.js";
import type { Run } from "./plan.js";

/** Entries of one run that are read at a time, at most. */
const maxPiece = 256;
/** Runs that are read side by side. */
const parallel = 256;

/** An entry with what orders it: its key without the prefix of its run. */
export interface Ordered {
  readonly position: Buffer;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** How to merge. */
export interface MergeOptions {
  readonly descending: boolean;
  /** Go on after this position. */
  readonly after: Buffer | undefined;
  /** How many entries will be needed, about. */
  readonly expected: number;
}

/** The entries of several runs in one order, read a little ahead. */
export class Merge {
  readonly #store: StoreReader;
  readonly #cursors: TinyQueue<Cursor>;
  readonly #runs: readonly Run[];
  readonly #options: MergeOptions;
  #isOpen = false;

  constructor(store: StoreReader, runs: readonly Run[], options: MergeOptions) {
    this.#store = store;
    this.#runs = runs;
    this.#options = options;
    const sign = options.descending ? -1 : 1;
    this.#cursors = new TinyQueue<Cursor>([], (a, b) => sign * compare(a.head, b.head));
  }

  /** The next entries, at most so many; fewer only at the end. */
  async take(count: number): Promise<Ordered[]> {
    await this.#open();
    const taken: Ordered[] = [];
    while (taken.length < count) {
      const cursor = this.#cursors.pop();
      if (cursor?.head === undefined) break;
      taken.push(cursor.head);
      await cursor.next();
      if (cursor.head !== undefined) this.#cursors.push(cursor);
    }
    return taken;
  }

  /** True when there is nothing more. */
  async isAtEnd(): Promise<boolean> {
    await this.#open();
    return this.#cursors.length === 0;
  }

  async #open(): Promise<void> {
    if (this.#isOpen) return;
    this.#isOpen = true;
    const share = Math.ceil(this.#options.expected / this.#runs.length) + 1;
    for (let at = 0; at < this.#runs.length; at += parallel) {
      const cursors = this.#runs
        .slice(at, at + parallel)
        .map((run) => new Cursor(this.#store, run, this.#options, share));
      await Promise.all(cursors.map((cursor) => cursor.next()));
      for (const cursor of cursors) if (cursor.head !== undefined) this.#cursors.push(cursor);
    }
  }
}

/** The place in one run. */
class Cursor {
  readonly #store: StoreReader;
  readonly #prefixBytes: number;
  readonly #descending: boolean;
  #gte: Uint8Array;
  #lt: Uint8Array;
  #piece: number;
  #entries: Entry[] = [];
  #at = 0;
  #isLast = false;
  /** The entry at hand; undefined at the end, and before the first `next`. */
  head: Ordered | undefined;

  constructor(
    store: StoreReader,
    { prefix, low, high }: Run,
    { descending, after }: MergeOptions,
    piece: number,
  ) {
    this.#store = store;
    this.#prefixBytes = prefix.length;
    this.#descending = descending;
    this.#piece = Math.min(piece, maxPiece);
    this.#gte = Buffer.concat([prefix, low]);
    this.#lt = high === undefined ? afterPrefix(prefix) : Buffer.concat([prefix, high]);
    if (after === undefined) return;
    const last = Buffer.concat([prefix, after]);
    if (descending) this.#lt = Buffer.compare(last, this.#lt) < 0 ? last : this.#lt;
    else this.#gte = Buffer.compare(last, this.#gte) < 0 ? this.#gte : following(last);
  }

  async next(): Promise<void> {
    if (this.#at >= this.#entries.length) await this.#read();
    const entry = this.#entries[this.#at];
    this.#at += 1;
    if (entry === undefined) {
      this.head = undefined;
      return;
    }
    const [key, value] = entry;
    const position = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
    this.head = { position: position.subarray(this.#prefixBytes), key, value };
  }

  async #read(): Promise<void> {
    this.#at = 0;
    this.#entries = [];
    if (this.#isLast || Buffer.compare(this.#gte, this.#lt) >= 0) return;
    const range = { gte: this.#gte, lt: this.#lt, limit: this.#piece, reverse: this.#descending };
    this.#entries = await this.#store.range(range);
    this.#isLast = this.#entries.length < this.#piece;
    const last = this.#entries.at(-1)?.[0];
    if (last !== undefined) {
      if (this.#descending) this.#lt = last;
      else this.#gte = following(last);
    }
    // Who needs more than the first piece needs more still.
    this.#piece = Math.min(this.#piece * 2, maxPiece);
  }
}

function compare(a: Ordered | undefined, b: Ordered | undefined): number {
  return a === undefined || b === undefined ? 0 : Buffer.compare(a.position, b.position);
}
