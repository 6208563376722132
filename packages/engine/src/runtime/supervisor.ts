// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import { TurnoverMap } from "@pawl/protocol";
import type {
  ActivityCompletion,
  WorkerRegistration,
  WorkerSession,
  WorkItem,
} from "@pawl/protocol/port";
import { EngineError, firstCause, isEngineError, isUnavailable, reasonOf } from "../errors.js";
import type { ResolvedOptions } from "../options.js";
import type { OpenStore } from "../store/store.js";
import { Waiters } from "./read/waiters.js";
import { Recovery } from "./recovery.js";
import { Runtime } from "./runtime.js";
import { Departures } from "./work/departures.js";
import { Worker } from "./work/worker.js";

const firstReopenMs = 100;
/** Short, so that a full disk that has space again is written to again soon. */
const maxReopenMs = 1_000;
/** For one that is damaged: the disk does not mend itself, and a salvage that is refused has read all of it. */
const maxDamagedMs = 60_000;
/** A failure that stays the same is logged this often. */
const sameReasonMs = 60_000;
/** One that was open for so long is opened again at once when it fails. */
const calmMs = 10_000;

/**
 * Keeps a runtime over an open store. When a write fails it ends that runtime, for a failed write is
 * final for its handle, and reopens the store with growing pauses; workers and those who wait stay.
 */
export class Supervisor {
  readonly waiters = new Waiters();
  #options: ResolvedOptions;
  readonly #openStore: OpenStore;
  readonly #workers = new Map<string, Worker>();
  readonly #departures: Departures;
  readonly #readyListeners = new Set<(ready: boolean) => void>();
  readonly #closeListeners = new TurnoverMap<number, () => void>();
  #closeListenerCount = 0;
  #runtime: Runtime | undefined;
  /** Takes up what was unfinished when the runtime's store was opened. */
  #recovery: Recovery | undefined;
  /** Why there is no runtime. */
  #reason = "";
  #reopening: Promise<void> | undefined;
  /** The pause before the next opening: it grows while the store opens well and fails soon after. */
  #pauseMs = 0;
  /** Pauses since such a failure, again and again the same, was logged. */
  #quietMs = 0;
  /** Forgets the wait for a store to have been open for long. */
  #forgetCalm: () => void = () => {};
  /** Ends the pause before an opening, while there is one. */
  #endPause: () => void = () => {};
  #closed: Promise<void> | undefined;

  constructor(options: ResolvedOptions, openStore: OpenStore) {
    this.#options = options;
    this.#openStore = openStore;
    this.#departures = new Departures(
      options.clock,
      () => this.#options.workerReturnMs,
      () => this.#runtime?.desk.refusals.look(),
    );
  }

  /** Opens the store and takes up what was unfinished. */
  async open(): Promise<void> {
    const open: { runtime?: Runtime } = {};
    const store = await this.#openStore((error) => {
      if (open.runtime !== undefined) this.#fail(open.runtime, error);
    });
    let failure: { readonly error: unknown } | undefined;
    const runtime = new Runtime(store, this.#options, this.waiters, this.#departures, (error) => {
      failure ??= { error };
      this.#fail(runtime, error);
    });
    const recovery = new Recovery(runtime);
    const hasWorkers = this.#workers.size > 0;
    try {
      const hasOpen = await recovery.open();
      // Activities that connected workers are at are left to them, so all have to be there.
      if (hasWorkers) await recovery.takeUp();
      if (failure !== undefined) throw failure.error;
      if (hasOpen && this.#workers.size === 0) this.#departures.leaveAll();
    } catch (error) {
      runtime.timers.close();
      await store.close();
      throw error;
    }
    this.#runtime = runtime;
    // From here on a failure, however soon it comes, is one of this runtime.
    this.#reopening = undefined;
    if (this.#pauseMs > 0) {
      this.#forgetCalm = this.#options.clock.setDelay(calmMs, () => {
        this.#pauseMs = 0;
      });
    }
    this.#recovery = recovery;
    open.runtime = runtime;
    runtime.dispatch.readopt(this.#workers.values());
    // They may have changed while the store was being opened.
    if (runtime.options !== this.#options) runtime.reconfigure(this.#options);
    runtime.retention.open();
    runtime.dispatch.add(...this.#workers.values());
    if (!hasWorkers) {
      void runtime.track(recovery.takeUp(), "unfinished work cannot be taken up");
    }
    this.#announce(true);
    this.#tellWaiters(runtime);
    this.waiters.notifyAll();
  }

  /** A write that failed may have taken effect: those who wait hear what is on disk. */
  #tellWaiters(runtime: Runtime): void {
    for (const instanceId of this.waiters.ids()) {
      const told = runtime.mailboxes.run(instanceId, ({ snapshot }) =>
        this.waiters.notify(instanceId, snapshot),
      );
      told.catch((error: unknown) => {
        // It is opened again, and they are told then: nobody else may find out that it fails.
        if (isUnavailable(error)) runtime.storeFailed(error);
        else this.waiters.fail(instanceId, error);
      });
    }
  }

  /** The runtime that may take an activity's result. @throws STORE_UNAVAILABLE, SHUTTING_DOWN */
  requireFor(completion: ActivityCompletion): Runtime {
    // Its worker is done with it, and will not report it again.
    if (this.#runtime === undefined) {
      for (const worker of this.#workers.values()) worker.forget(completion);
    }
    return this.require();
  }

  /** The runtime. @throws STORE_UNAVAILABLE, SHUTTING_DOWN */
  require(): Runtime {
    if (this.#closed !== undefined) throw shuttingDown();
    if (this.#runtime === undefined) {
      throw new EngineError(
        "STORE_UNAVAILABLE",
        `the store is being reopened after a failed write (${this.#reason}): try again shortly`,
      );
    }
    return this.#runtime;
  }

  /** Other limits and times hold from now on, and after the store was opened again. */
  reconfigure(options: ResolvedOptions): void {
    this.#options = options;
    this.#runtime?.reconfigure(options);
  }

  isReady(): boolean {
    return this.#runtime !== undefined && this.#closed === undefined;
  }

  onReadyChange(listener: (ready: boolean) => void): () => void {
    this.#readyListeners.add(listener);
    return () => this.#readyListeners.delete(listener);
  }

  /** Calls `listener` when the engine begins to close. */
  onClose(listener: () => void): () => void {
    if (this.#closed !== undefined) queueMicrotask(listener);
    this.#closeListenerCount += 1;
    const number = this.#closeListenerCount;
    this.#closeListeners.set(number, listener);
    return () => this.#closeListeners.delete(number);
  }

  workerCount(): number {
    return this.#workers.size;
  }

  /** Connected workers, in the order in which they came. */
  workers(): Worker[] {
    return [...this.#workers.values()];
  }

  /** Connects a worker; it gets its first items after this call. @throws SHUTTING_DOWN */
  connect(
    registration: WorkerRegistration,
    deliver: (item: WorkItem) => void,
    release: (instanceId: string) => void,
  ): WorkerSession {
    if (this.#closed !== undefined) throw shuttingDown();
    const { createId, clock } = this.#options;
    const identity = { workerId: createId(), connectedAt: clock.now() };
    const worker = new Worker(identity, registration, deliver, release);
    this.#workers.set(worker.workerId, worker);
    queueMicrotask(() => {
      if (worker.closed) return;
      this.#runtime?.dispatch.add(worker);
      this.#runtime?.workersChanged();
    });
    return {
      workerId: worker.workerId,
      evict: (instanceIds) => {
        for (const instanceId of instanceIds) worker.cached.delete(instanceId);
      },
      returnTurn: (instanceId, token) => this.#runtime?.desk.returnTurn(worker, instanceId, token),
      close: () => this.#disconnect(worker),
    };
  }

  #disconnect(worker: Worker): void {
    if (worker.closed) return;
    worker.closed = true;
    this.#workers.delete(worker.workerId);
    this.#departures.leave({
      workflow: worker.names("workflow"),
      activity: worker.names("activity"),
    });
    this.#runtime?.dispatch.remove(worker);
    this.#runtime?.desk.release(worker);
    this.#runtime?.workersChanged();
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    // Twice in a row: what ends in one round may begin something in the next.
    for (let quiet = 0; quiet < 2; ) {
      await nextTick();
      const isIdle = this.#reopening === undefined && (this.#runtime?.isIdle() ?? true);
      quiet = isIdle ? quiet + 1 : 0;
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // First let this method return, so that `require` refuses from now on.
    await Promise.resolve();
    for (const listener of [...this.#closeListeners.values()]) listener();
    this.#announce(false);
    this.#endPause();
    await this.#reopening;
    this.#forgetCalm();
    const runtime = this.#runtime;
    for (const worker of [...this.#workers.values()]) this.#disconnect(worker);
    this.#departures.close();
    if (runtime === undefined) return;
    runtime.timers.close();
    runtime.desk.close();
    await this.#recovery?.close();
    await runtime.retention.close();
    await runtime.journal.flush().catch((error: unknown) => {
      const reason = reasonOf(firstCause(error));
      this.#options.logger.error({ reason }, "the store failed while the engine was closed");
    });
    await runtime.store.close();
  }

  #fail(runtime: Runtime, error: unknown): void {
    // One that is being opened, or was given up already, is `open`'s affair. What is still being read when
    // the engine closes is none of anybody's.
    if (this.#runtime !== runtime || this.#closed !== undefined) return;
    this.#note(reasonOf(firstCause(error)));
    this.#forgetCalm();
    this.#runtime = undefined;
    this.#announce(false);
    runtime.timers.close();
    void this.#recovery?.close();
    void runtime.retention.close();
    runtime.desk.close();
    runtime.dispatch.abandon();
    for (const worker of this.#workers.values()) worker.reset();
    this.#reopening ??= this.#reopen(runtime);
  }

  /** Says why the store is reopened: once a minute while that goes on and stays the same. */
  #note(reason: string): void {
    const isOld = reason === this.#reason && this.#pauseMs >= maxReopenMs;
    this.#quietMs = isOld ? this.#quietMs + this.#pauseMs : 0;
    this.#reason = reason;
    if (isOld && this.#quietMs < sameReasonMs) return;
    this.#quietMs = 0;
    this.#options.logger.error({ reason }, "the store failed and is being reopened");
  }

  async #reopen(failed: Runtime): Promise<void> {
    await failed.store.close().catch(() => {});
    if (this.#pauseMs > 0) await this.#pause(this.#pauseMs);
    this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, firstReopenMs), maxReopenMs);
    let quietMs = 0;
    for (let waitMs = firstReopenMs; this.#closed === undefined; ) {
      try {
        await this.open();
        if (this.#quietMs === 0) this.#options.logger.info({}, "the store is open again");
        return;
      } catch (error) {
        const code = isEngineError(error) ? error.code : "INTERNAL";
        const reason = reasonOf(error);
        if (reason !== this.#reason || waitMs < maxReopenMs || quietMs >= sameReasonMs) {
          this.#options.logger.error({ code, reason, waitMs }, "the store cannot be opened");
          quietMs = 0;
        }
        quietMs += waitMs;
        this.#reason = reason;
        await this.#pause(waitMs);
        waitMs = Math.min(waitMs * 2, code === "STORE_DAMAGED" ? maxDamagedMs : maxReopenMs);
      }
    }
    this.#reopening = undefined;
  }

  /** Resolves when the time is up, or the engine closes. */
  #pause(lengthMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed !== undefined) return resolve();
      const cancel = this.#options.clock.setDelay(lengthMs, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }

  #announce(ready: boolean): void {
    for (const listener of [...this.#readyListeners]) listener(ready);
  }
}

function shuttingDown(): EngineError {
  return new EngineError("SHUTTING_DOWN", "the engine is stopping");
}
