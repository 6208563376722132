// SPDX-License-Identifier: Apache-2.0

import { join } from "node:path";
import type { Database } from "../abstract-store.js";
import { encodeLostRow } from "../codec.js";
import { instanceIdOf, isInPartition, isRowKey } from "../key.js";
import { listWrites, readBytes, type TableFile } from "../level/inspect.js";
import { readLogFile } from "../level/log-file.js";
import type { TableEntry } from "../level/table-block.js";
import { readBlocks } from "../level/table-file.js";
import { writesIn } from "../level/write-batch.js";
import { following } from "../scan.js";
import { del, put, type StoreWrite } from "../store.js";
import { commitOf, isCommitKey } from "../store-key.js";
import { describeLost, LostBlocks, lostBlockOf, mayHold } from "./lost-blocks.js";
import { isFreeKey } from "./lost-keys.js";

/** Writes that are copied in one batch. */
const batchWrites = 1000;

/** What came of a copy. */
export interface Copied {
  /** Blocks that could not be read. */
  readonly lost: LostBlocks;
  /** The newest commit whose mark was read; 0: none. */
  readonly newestCommit: number;
  /** The same of logs alone, which are newer than all tables. */
  readonly newestInLogs: number;
}

/** From where to where. */
export interface CopyOptions {
  /** The damaged database, which is only read. */
  readonly from: string;
  /** How its folder will be called when it lies aside. */
  readonly fileFolder: string;
  readonly now: number;
  /** Which keys are copied. @default all */
  readonly isWanted?: (key: Uint8Array) => boolean;
  /** Told of the files that are done, and of how many there are. */
  readonly onProgress: (done: number, count: number) => void;
}

/**
 * Copies everything that can be read of a database's files into an empty one, the oldest writes first, so
 * that the newest of each key stands in the end. Where a block cannot be read, older writes of the keys
 * that may have been in it are not believed: a row gives way to one that says so, other entries go.
 * Throws FilesDamaged when more than tables is damaged.
 */
export async function copyReadable(db: Database, options: CopyOptions): Promise<Copied> {
  const { tables, logs } = await listWrites(options.from);
  const copy = new Copy(db, options);
  const count = tables.length + logs.length;
  for (const [index, table] of tables.entries()) {
    await copy.addTable(table);
    options.onProgress(index + 1, count);
  }
  for (const [index, name] of logs.entries()) {
    await copy.addLog(name);
    options.onProgress(tables.length + index + 1, count);
  }
  await copy.flush();
  return copy;
}

class Copy implements Copied {
  readonly lost = new LostBlocks();
  newestCommit = 0;
  newestInLogs = 0;
  readonly #db: Database;
  readonly #options: CopyOptions;
  #writes: StoreWrite[] = [];

  constructor(db: Database, options: CopyOptions) {
    this.#db = db;
    this.#options = options;
  }

  async addTable({ name, fact }: TableFile): Promise<void> {
    const lostHere = new LostBlocks();
    let last: Uint8Array | undefined;
    for await (const block of readBlocks(join(this.#options.from, name), fact)) {
      if (block.entries === undefined) {
        const file = `${this.#options.fileFolder}/${name}`;
        lostHere.add(lostBlockOf({ ...block, file, foundAt: this.#options.now }));
        continue;
      }
      for (const entry of block.entries) {
        // Older writes of a key follow the newest one.
        if (last !== undefined && Buffer.compare(last, entry.key) === 0) continue;
        last = entry.key;
        this.#add(entry);
      }
      if (this.#writes.length >= batchWrites) await this.flush();
    }
    await this.flush();
    for (const block of lostHere.all) {
      await this.#doubt(block);
      this.lost.add(block);
    }
  }

  async addLog(name: string): Promise<void> {
    const { records } = readLogFile(await readBytes(this.#options.from, name));
    for (const { bytes } of records) {
      for (const entry of writesIn(bytes)) {
        this.#add(entry);
        if (entry.value !== undefined && isCommitKey(entry.key)) {
          this.newestInLogs = Math.max(this.newestInLogs, commitOf(entry.key));
        }
      }
      if (this.#writes.length >= batchWrites) await this.flush();
    }
  }

  async flush(): Promise<void> {
    const writes = this.#writes;
    this.#writes = [];
    if (writes.length > 0) await this.#db.batch(writes);
  }

  #add({ key, value }: TableEntry): void {
    if (value !== undefined && isCommitKey(key)) {
      this.newestCommit = Math.max(this.newestCommit, commitOf(key));
    }
    if (this.#options.isWanted?.(key) === false) return;
    if (value !== undefined) {
      this.#writes.push(put(key, value));
      return;
    }
    this.#writes.push(del(key));
    // Whatever of it was lost is older than its end.
    if (isRowKey(key) && this.lost.find(key) !== undefined) this.lost.free(instanceIdOf(key));
  }

  /** What was written before may have been written over, or deleted, in a block that was lost. */
  async #doubt(block: LostBlocks["all"][number]): Promise<void> {
    const range = { gte: following(block.after), lt: following(block.upTo) };
    for await (const key of this.#db.keys(range)) {
      if (!mayHold(block, key) || !isDoubtful(key)) continue;
      if (isRowKey(key)) {
        const value = encodeLostRow(`its newest row may have been in ${describeLost(block)}`);
        this.#writes.push(put(key, value));
      } else {
        this.#writes.push(del(key));
      }
      if (this.#writes.length >= batchWrites) await this.flush();
    }
    await this.flush();
  }
}

/** What the store says of itself is made again; but an id that may not be free any more is not said to be. */
function isDoubtful(key: Uint8Array): boolean {
  return isInPartition(key) || isFreeKey(key);
}
