// SPDX-License-Identifier: Apache-2.0

import { del, put, type Store, type StoreWrite } from "../store/store.js";
import { changeKey, changeOf } from "../store/store-key.js";

/** The instances whose rows one commit wrote, and those whose rows it deleted. */
export interface Changed {
  readonly written: readonly string[];
  readonly purged: readonly string[];
}

/** One commit, and the instances that it changed. */
export interface Change extends Changed {
  readonly change: number;
  /** It does not know which rows were deleted: all are among those written. */
  readonly isBlurred?: true;
}

/** Entries that are kept on disk, and in memory. */
const keptEntries = 8192;
const keptInMemory = 512;
/** Entries are trimmed this many at a time. */
const trimmedEntries = 512;
/** Entries that are read at a time. */
const pageEntries = 256;

/**
 * Which instances each of the last commits changed: what a watcher of all instances missed while it
 * was away. The commits are numbered without gaps over restarts; rows carry the number of the change
 * that wrote them.
 */
export class ChangeLog {
  readonly #store: Store;
  readonly #onCommit: () => void;
  readonly #recent: Change[] = [];
  /** Number of the newest change on disk, and of the oldest entry that is kept. */
  #head = 0;
  #oldest = 1;

  constructor(store: Store, onCommit: () => void) {
    this.#store = store;
    this.#onCommit = onCommit;
  }

  /** Finds where the log ends. */
  async open(): Promise<void> {
    const all = { gte: changeKey(0), lt: changeKey(Number.MAX_SAFE_INTEGER), limit: 1 };
    const [[first], [last]] = await Promise.all([
      this.#store.range(all),
      this.#store.range({ ...all, reverse: true }),
    ]);
    if (first === undefined || last === undefined) return;
    this.#oldest = changeOf(first[0]);
    this.#head = changeOf(last[0]);
  }

  /** Number of the newest change that is on disk. */
  head(): number {
    return this.#head;
  }

  /** Number of the next change. */
  next(): number {
    return this.#head + 1;
  }

  /** What a commit writes of its change. */
  entry(change: number, { written, purged }: Changed): StoreWrite[] {
    // No id is empty, or holds a control character.
    const value = Buffer.from([...written, "", ...purged].join("\0"), "utf8");
    const writes: StoreWrite[] = [put(changeKey(change), value)];
    if (change - this.#oldest >= keptEntries + trimmedEntries) {
      for (let index = 0; index < trimmedEntries; index += 1) {
        writes.push(del(changeKey(this.#oldest + index)));
      }
      this.#oldest += trimmedEntries;
    }
    return writes;
  }

  /** Notes that a change is on disk, and tells those who watch. */
  committed(change: number, { written, purged }: Changed): void {
    this.#head = change;
    this.#recent.push({ change, written, purged });
    if (this.#recent.length > 2 * keptInMemory) this.#recent.splice(0, keptInMemory);
    this.#onCommit();
  }

  /** True when this change, if there is one, and every later one is still known. */
  reaches(change: number): boolean {
    return change >= this.#oldest;
  }

  /** The oldest changes from this number on, some of them; none when there are none yet. */
  async from(change: number): Promise<readonly Change[]> {
    if (change > this.#head) return [];
    const first = this.#recent[0]?.change ?? Number.POSITIVE_INFINITY;
    if (change >= first) return this.#recent.slice(change - first, change - first + pageEntries);
    const lt = changeKey(Math.min(change + pageEntries, this.#head + 1));
    const entries = await this.#store.range({ gte: changeKey(change), lt });
    return entries.map(([key, value]) => ({ change: changeOf(key), ...changedIn(value) }));
  }
}

function changedIn(value: Uint8Array): Omit<Change, "change"> {
  // An entry that a salvage began the log with has none.
  if (value.length === 0) return { written: [], purged: [] };
  const ids = Buffer.from(value).toString("utf8").split("\0");
  const end = ids.indexOf("");
  // Format 6 and before: the ids alone.
  if (end < 0) return { written: ids, purged: [], isBlurred: true };
  return { written: ids.slice(0, end), purged: ids.slice(end + 1) };
}
