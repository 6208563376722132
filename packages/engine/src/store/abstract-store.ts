// SPDX-License-Identifier: Apache-2.0

import type { AbstractBatchOptions, AbstractChainedBatch, AbstractLevel } from "abstract-level";
import { EngineError, reasonOf } from "../errors.js";
import { damaged } from "./damaged.js";
import { GatheredGets } from "./level/gathered-gets.js";
import type { Entry, KeyRange, Store, StoreReader, StoreSnapshot, StoreWrite } from "./store.js";

/** The databases that this store runs on: `level` on disk, `memory-level` in memory. */
export type Database = AbstractLevel<Buffer | Uint8Array | string, Uint8Array, Uint8Array>;

type Chain = AbstractChainedBatch<Database, Uint8Array, Uint8Array>;

/** A batch that is on disk when it resolves: LevelDB's own option; it has no effect in memory. */
export const synced: AbstractBatchOptions<Uint8Array, Uint8Array> & { readonly sync: true } = {
  sync: true,
};

/** How a batch becomes durable, and what it carries beside its writes. */
export interface BatchPolicy {
  /** Writes that go with every batch. */
  stamp(): readonly StoreWrite[];
  /** Called after each durable batch. */
  written(): void;
  /** Called when the store is let go, after the last batch and before the database closes. Does not reject. */
  closing(): Promise<void>;
}

/** Told that the disk, or the system, did not let the database read. */
export type OnUnreadable = (error: EngineError) => void;

/** Entries of a range whose blocks are kept in LevelDB's cache, at most. */
const shortRange = 256;
/** LevelDB's own option: the check of a short range, and the next page, find its blocks again. */
const cached: { readonly fillCache: boolean } = { fillCache: true };

const plain: BatchPolicy = { stamp: () => [], written() {}, closing: async () => {} };

type DatabaseSnapshot = ReturnType<Database["snapshot"]>;

/** Reads a database: as it is, or as it was at a moment. */
class DatabaseReader implements StoreReader {
  readonly #db: Database;
  readonly #moment: { readonly snapshot?: DatabaseSnapshot };
  readonly #gets: GatheredGets;
  readonly #onUnreadable: OnUnreadable;

  constructor(db: Database, onUnreadable: OnUnreadable, snapshot?: DatabaseSnapshot) {
    this.#db = db;
    this.#onUnreadable = onUnreadable;
    this.#moment = snapshot === undefined ? {} : { snapshot };
    const reader = {
      get: (key: Uint8Array) => db.get(key, this.#moment),
      getMany: (keys: Uint8Array[]) => db.getMany(keys, this.#moment),
    };
    // What is in memory is read by this thread: nothing is gained by waiting.
    this.#gets = new GatheredGets(reader, db.supports.permanence ? "round" : "tick");
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    try {
      return await this.#gets.get(key);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async range(range: KeyRange): Promise<Entry[]> {
    try {
      const isShort = range.limit !== undefined && range.limit <= shortRange;
      const options = { ...range, ...(isShort ? cached : {}), ...this.#moment };
      const entries = await this.#db.iterator(options).all();
      if (entries.length === range.limit) await this.#requireWhole(range, entries);
      return entries;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #failed(cause: unknown): EngineError {
    const error = readError(cause);
    // One that was closed meanwhile is no news.
    if (levelCode(cause) === "LEVEL_IO_ERROR") this.#onUnreadable(error);
    return error;
  }

  /**
   * LevelDB passes over a block that it cannot read, and says so only at the end of a range. One
   * that was left at its limit is gone through once more, to its end this time.
   */
  async #requireWhole(range: KeyRange, entries: readonly Entry[]): Promise<void> {
    const last = entries.at(-1)?.[0];
    if (last === undefined) return;
    const seen = range.reverse ? { gte: last, lt: range.lt } : { gte: range.gte, lte: last };
    await this.#db.keys({ ...seen, ...cached, ...this.#moment }).all();
  }
}

/** A moment of a database. */
class DatabaseMoment extends DatabaseReader implements StoreSnapshot {
  readonly #snapshot: DatabaseSnapshot;

  constructor(db: Database, onUnreadable: OnUnreadable, snapshot: DatabaseSnapshot) {
    super(db, onUnreadable, snapshot);
    this.#snapshot = snapshot;
  }

  close(): Promise<void> {
    return this.#snapshot.close();
  }
}

/** A store over an open abstract-level database. */
export class AbstractStore extends DatabaseReader implements Store {
  readonly #db: Database;
  readonly #policy: BatchPolicy;
  readonly #onUnreadable: OnUnreadable;
  /** The first write error: final for this handle. */
  #failure: unknown;
  #writing: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(db: Database, policy: BatchPolicy = plain, onUnreadable: OnUnreadable = () => {}) {
    super(db, onUnreadable);
    this.#db = db;
    this.#policy = policy;
    this.#onUnreadable = onUnreadable;
  }

  snapshot(): StoreSnapshot {
    try {
      return new DatabaseMoment(this.#db, this.#onUnreadable, this.#db.snapshot());
    } catch (error) {
      throw readError(error);
    }
  }

  write(batch: readonly StoreWrite[]): Promise<void> {
    this.#writing = this.#write(batch);
    return this.#writing;
  }

  async #write(batch: readonly StoreWrite[]): Promise<void> {
    if (this.#failure !== undefined) throw unavailable(this.#failure);
    try {
      await this.#putTogether(batch).write(synced);
    } catch (error) {
      this.#failure = error;
      throw unavailable(error);
    }
    this.#policy.written();
  }

  /** A chained batch: one of an array makes a copy of each of its writes, and takes twice the time. */
  #putTogether(writes: readonly StoreWrite[]): Chain {
    const chain = this.#db.batch();
    for (const write of writes) add(chain, write);
    for (const write of this.#policy.stamp()) add(chain, write);
    return chain;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // At once: nobody would wait for a write that follows the one on its way.
    this.#failure ??= new Error("the store is closed");
    await this.#writing.catch(() => {});
    await this.#policy.closing();
    await this.#db.close();
  }
}

function add(chain: Chain, write: StoreWrite): void {
  if (write.type === "put") chain.put(write.key, write.value);
  else chain.del(write.key);
}

function unavailable(cause: unknown): EngineError {
  return new EngineError("STORE_UNAVAILABLE", "the store cannot write; it is being reopened", {
    cause,
  });
}

function readError(error: unknown): EngineError {
  const code = levelCode(error);
  if (code === "LEVEL_CORRUPTION") return damaged("a block cannot be read", error);
  return new EngineError("STORE_UNAVAILABLE", `the store cannot read (${reasonOf(error)})`, {
    cause: error,
  });
}

/** The code of an abstract-level error, or of its cause, which says more. */
export function levelCode(error: unknown): string {
  let code = "";
  for (let at = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") code = at.code;
  }
  return code;
}
