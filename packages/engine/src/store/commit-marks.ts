// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "../errors.js";
import type { BatchPolicy, Database } from "./abstract-store.js";
import type { NewestCommitFile } from "./level/newest-commit-file.js";
import { type SideFile, writeSideFile } from "./side-file.js";
import { del, mark, type StoreWrite } from "./store.js";
import { commitKey, commitOf } from "./store-key.js";

/** Marks that are kept. A hole among them shows that the database lost writes in the middle. */
const keptMarks = 4096;
/** Marks are trimmed this many at a time. */
const trimmedMarks = 512;
/** The side file is refreshed at most this often. */
const refreshMs = 1000;

/**
 * Numbers every batch, leaves the number in the database, and keeps the newest durable one in the
 * side file (synced, each second) and in the newest-commit file (not synced, each time). So a database
 * that lost its tail, or a piece of its log, is found out at the next open.
 */
export class CommitMarks implements BatchPolicy {
  readonly #dataDir: string;
  #side: SideFile;
  readonly #newest: NewestCommitFile;
  /** Number of the newest batch that was started, and of the newest durable one. */
  #commit: number;
  #durable: number;
  /** Number in the side file. */
  #marked: number;
  /** The oldest mark in the database. */
  #oldest: number;
  #timer: NodeJS.Timeout | undefined;
  #refreshing: Promise<void> = Promise.resolve();

  constructor(
    dataDir: string,
    side: SideFile,
    range: { oldest: number; newest: number },
    newest: NewestCommitFile,
  ) {
    this.#dataDir = dataDir;
    this.#side = side;
    this.#newest = newest;
    this.#marked = side.commit;
    this.#commit = range.newest;
    this.#durable = range.newest;
    this.#oldest = range.oldest;
  }

  stamp(): readonly StoreWrite[] {
    this.#commit += 1;
    const writes: StoreWrite[] = [mark(commitKey(this.#commit))];
    if (this.#commit - this.#oldest >= keptMarks + trimmedMarks) {
      for (let index = 0; index < trimmedMarks; index += 1) {
        writes.push(del(commitKey(this.#oldest + index)));
      }
      this.#oldest += trimmedMarks;
    }
    return writes;
  }

  written(): void {
    // Batches are written one at a time, so the newest one started is the one that was written.
    this.#durable = this.#commit;
    this.#newest.write(this.#commit);
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // A failed refresh only leaves an older mark; the next one tries again.
      this.#refresh().catch(() => {});
    }, refreshMs);
    this.#timer.unref();
  }

  async closing(): Promise<void> {
    clearTimeout(this.#timer);
    // A failed refresh only leaves an older mark; the folder has to be let go all the same.
    await this.#refresh().catch(() => {});
    this.#newest.close();
  }

  /** Writes down what else is true of the store, as all is that is durable by now. */
  async renew(facts: Partial<Pick<SideFile, "formatVersion" | "lostBlocks">>): Promise<void> {
    this.#side = { ...this.#side, ...facts };
    this.#marked = -1;
    await this.#refresh();
  }

  #refresh(): Promise<void> {
    this.#refreshing = this.#refreshing
      .catch(() => {})
      .then(async () => {
        const commit = this.#durable;
        if (commit <= this.#marked) return;
        await writeSideFile(this.#dataDir, { ...this.#side, commit });
        this.#marked = commit;
      });
    return this.#refreshing;
  }
}

/** @throws STORE_DAMAGED when the newest commit that was found is older than one that is known of */
export function requireCommit(dataDir: string, known: number, newest: number): void {
  if (newest >= known) return;
  throw lost(dataDir, `commits up to ${known} were acknowledged, the newest found is ${newest}`);
}

/**
 * Reads the marks of a database and checks them against the newest commit that is known of.
 * @throws STORE_DAMAGED when commits are missing
 */
export async function checkMarks(
  db: Database,
  dataDir: string,
  known: number,
): Promise<{ oldest: number; newest: number }> {
  const keys = await db.keys({ gte: commitKey(0), lt: commitKey(Number.MAX_SAFE_INTEGER) }).all();
  const [first] = keys;
  const last = keys.at(-1);
  const oldest = first === undefined ? 1 : commitOf(first);
  const newest = last === undefined ? 0 : commitOf(last);
  requireCommit(dataDir, known, newest);
  if (keys.length > 0 && newest - oldest + 1 !== keys.length) {
    throw lost(dataDir, `of the commits ${oldest} to ${newest} only ${keys.length} are there`);
  }
  return { oldest, newest };
}

function lost(dataDir: string, what: string): EngineError {
  return new EngineError(
    "STORE_DAMAGED",
    `${dataDir} has lost acknowledged writes (${what}): restore it from a backup`,
    { details: { dataDir } },
  );
}
