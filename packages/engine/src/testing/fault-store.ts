// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "../errors.js";
import type {
  Entry,
  KeyRange,
  Store,
  StoreReader,
  StoreSnapshot,
  StoreWrite,
} from "../store/store.js";

/** What a store can be asked. */
export type StoreCall = "get" | "range" | "write";

/**
 * How a call goes wrong. "error": it has no effect and rejects. "error-after": it takes effect and
 * rejects all the same, as a write does whose answer was lost. "cut": the power goes; neither this
 * call nor any later one has an effect or an answer, until `restore`.
 */
export type FaultKind = "error" | "error-after" | "cut";

/** The calls that a `FaultStore` holds back until they are let go. */
export interface Gate {
  /** Calls that wait. */
  waiting(): number;
  /** Lets every call go, those that wait and those to come. */
  release(): void;
}

interface Plan {
  readonly calls: readonly StoreCall[];
  readonly kind: FaultKind;
  left: number;
}

interface Hold {
  readonly calls: readonly StoreCall[];
  readonly queue: (() => void)[];
}

const everyCall: readonly StoreCall[] = ["get", "range", "write"];

/**
 * A store that fails on demand, in front of one that does not. What was written stays when a handle
 * is closed or the power is cut, so that an engine can be opened again over it: `open` is an
 * `OpenStore`. Counts calls, fails the nth of a kind, cuts, and holds calls back.
 */
export class FaultStore {
  readonly #behind: Store;
  readonly #counts: Record<StoreCall, number> = { get: 0, range: 0, write: 0 };
  readonly #plans = new Set<Plan>();
  readonly #holds = new Set<Hold>();
  /** Goes up with each cut: handles of before get no answer any more. */
  #era = 0;
  #isCut = false;
  #hasFailed = false;
  #opened = 0;
  #failingOpens = 0;

  /** Sees every batch once it is written. */
  onWritten: (batch: readonly StoreWrite[]) => void = () => {};
  /** Sees every call before it is carried out. */
  onCall: (call: StoreCall, keyOrRange: Uint8Array | KeyRange | readonly StoreWrite[]) => void =
    () => {};

  private constructor(behind: Store) {
    this.#behind = behind;
  }

  /** Puts a fault store in front of a store. */
  static async over(openStore: () => Promise<Store>): Promise<FaultStore> {
    return new FaultStore(await openStore());
  }

  /** Opens a handle. Closing it leaves what is behind it as it is. */
  readonly open = async (): Promise<Store> => {
    this.#opened += 1;
    if (this.#failingOpens > 0) {
      this.#failingOpens -= 1;
      throw failed("the store cannot be opened");
    }
    this.#hasFailed = false;
    return new Handle(this, this.#era);
  };

  /** Times that `open` was called. */
  openCount(): number {
    return this.#opened;
  }

  /** Calls so far, of one kind or in all. */
  callCount(call?: StoreCall): number {
    if (call !== undefined) return this.#counts[call];
    return this.#counts.get + this.#counts.range + this.#counts.write;
  }

  /** Makes the nth call from now go wrong; 1 is the next one. `calls`: of which kinds. */
  failNext(nth: number, kind: FaultKind, calls: readonly StoreCall[] = everyCall): void {
    this.#plans.add({ calls, kind, left: nth });
  }

  /** Makes the next opens reject. */
  failOpens(count: number): void {
    this.#failingOpens = count;
  }

  /** Forgets planned faults. */
  clear(): void {
    this.#plans.clear();
    this.#failingOpens = 0;
  }

  /** Cuts the power: from now on nothing has an effect or an answer. */
  cut(): void {
    this.#isCut = true;
  }

  /** The power is back: handles that are opened from now on work, older ones stay silent. */
  restore(): void {
    this.#isCut = false;
    this.#era += 1;
  }

  /** True while the power is cut. */
  isCut(): boolean {
    return this.#isCut;
  }

  /** True while the newest handle takes no more writes, for one has failed. */
  hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** @internal A write of a handle has failed. */
  failed(): void {
    this.#hasFailed = true;
  }

  /** Holds calls of these kinds back until the gate lets them go. */
  hold(...calls: StoreCall[]): Gate {
    const hold: Hold = { calls, queue: [] };
    this.#holds.add(hold);
    return {
      waiting: () => hold.queue.length,
      release: () => {
        this.#holds.delete(hold);
        for (const go of hold.queue.splice(0)) go();
      },
    };
  }

  /** What is behind: to look at, or to damage. */
  get behind(): Store {
    return this.#behind;
  }

  /** Closes what is behind. */
  close(): Promise<void> {
    return this.#behind.close();
  }

  /** @internal One call of a handle of this era. */
  async run<T>(
    era: number,
    call: StoreCall,
    subject: Uint8Array | KeyRange | readonly StoreWrite[],
    carryOut: (behind: Store) => Promise<T>,
  ): Promise<T> {
    if (this.#isGone(era)) return silence();
    this.#counts[call] += 1;
    this.onCall(call, subject);
    const kind = this.#faultOf(call);
    for (const hold of [...this.#holds]) {
      if (hold.calls.includes(call)) await new Promise<void>((go) => hold.queue.push(go));
    }
    if (kind === "cut") this.cut();
    if (this.#isGone(era)) return silence();
    if (kind === "error") throw failed(`injected fault in a ${call}`);
    const result = await carryOut(this.#behind);
    if (this.#isGone(era)) return silence();
    if (kind === "error-after") throw failed(`injected fault after a ${call}`);
    return result;
  }

  #isGone(era: number): boolean {
    return this.#isCut || era !== this.#era;
  }

  #faultOf(call: StoreCall): FaultKind | undefined {
    let kind: FaultKind | undefined;
    for (const plan of this.#plans) {
      if (!plan.calls.includes(call)) continue;
      plan.left -= 1;
      if (plan.left > 0) continue;
      this.#plans.delete(plan);
      kind ??= plan.kind;
    }
    return kind;
  }
}

/** A store as an engine holds it. Like a real one, it takes no writes after a failed one. */
class Handle implements Store {
  readonly #owner: FaultStore;
  readonly #era: number;
  #failed = false;
  #closing = false;
  #closed = false;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(owner: FaultStore, era: number) {
    this.#owner = owner;
    this.#era = era;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#requireOpen();
    return this.#owner.run(this.#era, "get", key, (behind) => behind.get(key));
  }

  async range(range: KeyRange): Promise<Entry[]> {
    this.#requireOpen();
    return this.#owner.run(this.#era, "range", range, (behind) => behind.range(range));
  }

  /** Its reads count, fail and wait as those of the handle do. */
  snapshot(): StoreSnapshot {
    this.#requireOpen();
    const moment = this.#owner.behind.snapshot();
    const read = <T>(
      call: "get" | "range",
      subject: Uint8Array | KeyRange,
      carryOut: (reader: StoreReader) => Promise<T>,
    ): Promise<T> => this.#owner.run(this.#era, call, subject, () => carryOut(moment));
    return {
      get: (key) => read("get", key, (reader) => reader.get(key)),
      range: (range) => read("range", range, (reader) => reader.range(range)),
      close: () => moment.close(),
    };
  }

  async write(batch: readonly StoreWrite[]): Promise<void> {
    this.#requireOpen();
    if (this.#failed) throw failed("a write after a failed one");
    if (this.#closing) throw failed("the store is being closed");
    const writing = this.#owner.run(this.#era, "write", batch, async (behind) => {
      await behind.write(batch);
      this.#owner.onWritten(batch);
    });
    this.#writing = writing.catch(() => {
      this.#failed = true;
      this.#owner.failed();
    });
    await writing;
  }

  async close(): Promise<void> {
    // As of the real one: what follows the write on its way is not begun.
    this.#closing = true;
    await this.#writing;
    this.#closed = true;
  }

  #requireOpen(): void {
    if (this.#closed) throw failed("the store is closed");
  }
}

function failed(what: string): EngineError {
  return new EngineError("STORE_UNAVAILABLE", what);
}

/** What a machine without power answers. */
function silence(): Promise<never> {
  return new Promise(() => {});
}
