// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "@pawl/engine";
import type { Entry, KeyRange, Store, StoreSnapshot, StoreWrite } from "@pawl/engine/testing";
import type { Disk } from "./disk.ts";
import type { Owner, Scheduler } from "./scheduler.ts";

/** How a disk behaves. Probabilities from 0 to 1. */
export interface DiskHabits {
  /** Longest usual time of a call, in milliseconds. */
  latencyMs: number;
  /** A call takes a hundred times as long. */
  slow: number;
  /** A write fails: in one half of the cases it takes effect all the same. */
  writeFails: number;
  readFails: number;
  openFails: number;
}

/** How often a read is answered together with others that are asked for in the same step. */
const readTogether = { range: 0.95, get: 0.5 };

/** The disk as one process has it open. A failed write is final for a handle. */
export class SimStore implements Store {
  readonly #disk: Disk;
  readonly #scheduler: Scheduler;
  readonly #owner: Owner;
  readonly #habits: DiskHabits;
  readonly #onFailed: () => void;
  #failed = false;
  #closing = false;
  #closed = false;
  #writing: Promise<unknown> = Promise.resolve();
  /** The wait of what is asked for in this step. */
  #together: { readonly step: number; readonly over: Promise<void> } | undefined;

  private constructor(
    disk: Disk,
    scheduler: Scheduler,
    owner: Owner,
    habits: DiskHabits,
    onFailed: () => void,
  ) {
    this.#onFailed = onFailed;
    this.#disk = disk;
    this.#scheduler = scheduler;
    this.#owner = owner;
    this.#habits = habits;
  }

  /** Opens a handle; `onFailed` is called once its owner knows of a failed write. */
  static async open(
    disk: Disk,
    scheduler: Scheduler,
    owner: Owner,
    habits: DiskHabits,
    onFailed: () => void,
  ): Promise<SimStore> {
    const store = new SimStore(disk, scheduler, owner, habits, onFailed);
    await store.#wait("open");
    if (scheduler.random.chance(habits.openFails)) throw failed("the store cannot be opened");
    return store;
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#read("get", () => this.#disk.entries.get(key));
  }

  range(range: KeyRange): Promise<Entry[]> {
    return this.#read("range", () => this.#disk.entries.range(range));
  }

  snapshot(): StoreSnapshot {
    const moment = this.#disk.entries.copy();
    return {
      get: (key) => this.#read("get", () => moment.get(key)),
      range: (range) => this.#read("range", () => moment.range(range)),
      close: async () => {},
    };
  }

  write(batch: readonly StoreWrite[]): Promise<void> {
    if (this.#closing || this.#failed) {
      return Promise.reject(failed("the store takes no writes any more"));
    }
    const written = this.#write(batch);
    this.#writing = written.catch(() => {
      this.#failed = true;
    });
    return written;
  }

  async close(): Promise<void> {
    // As of the real one: what follows the write on its way is not begun.
    this.#closing = true;
    await this.#writing;
    this.#closed = true;
  }

  /** A read sees the disk as it is at some moment between call and answer. */
  async #read<T>(label: "range" | "get", read: () => T): Promise<T> {
    if (this.#closed) throw failed("the store is closed");
    const { random } = this.#scheduler;
    const early = random.chance(0.5) ? { value: read() } : undefined;
    await this.#waitTogether(label);
    if (random.chance(this.#habits.readFails)) throw failed(`injected fault in a ${label}`);
    return early === undefined ? read() : early.value;
  }

  /** A crash may come before a batch is on disk, or between that and the answer. */
  async #write(batch: readonly StoreWrite[]): Promise<void> {
    const { random } = this.#scheduler;
    await this.#wait("write");
    const fails = random.chance(this.#habits.writeFails);
    if (!fails || random.chance(0.5)) this.#disk.apply(batch);
    await this.#wait("written");
    this.#disk.answered();
    if (!fails) return;
    this.#scheduler.after(0, this.#owner, "health", this.#onFailed);
    throw failed("injected fault in a write");
  }

  /** What is asked for in one go is often read in one go: a recovery asks for many ranges. */
  #waitTogether(label: "range" | "get"): Promise<void> {
    const { steps, random } = this.#scheduler;
    const isTogether = this.#together?.step === steps && random.chance(readTogether[label]);
    if (isTogether && this.#together !== undefined) return this.#together.over;
    const over = this.#wait(label);
    this.#together = { step: steps, over };
    return over;
  }

  #wait(label: string): Promise<void> {
    const { random } = this.#scheduler;
    const factor = random.chance(this.#habits.slow) ? 100 : 1;
    const waitMs = random.next() * this.#habits.latencyMs * factor;
    return this.#scheduler.sleep(waitMs, this.#owner, label);
  }
}

function failed(what: string): EngineError {
  return new EngineError("STORE_UNAVAILABLE", what);
}
