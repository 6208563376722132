// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import { fireTimer } from "../core/command/fire-timer.js";
import { isTerminating, terminateNow } from "../core/command/terminate.js";
import { nothing, type Outcome } from "../core/outcome.js";
import type { InstanceState } from "../core/state.js";
import { hasEnded, hasWorkAtHand, isDelayed } from "../core/status.js";
import { isEngineError, isUnavailable, reasonOf } from "../errors.js";
import type { ResolvedOptions } from "../options.js";
import { startTimerId, type TimerKey } from "../store/key.js";
import type { Store, StoreWrite } from "../store/store.js";
import { ChangeLog } from "./change-log.js";
import type { Effects } from "./commit/effects.js";
import type { MailboxHost } from "./commit/mailbox-host.js";
import { Journal } from "./journal.js";
import type { Mailbox } from "./mailbox.js";
import { Mailboxes } from "./mailboxes.js";
import { Delivery } from "./message/delivery.js";
import { Extents } from "./read/query/extents.js";
import type { Waiters } from "./read/waiters.js";
import { Retention } from "./retention/retention.js";
import { Timers } from "./timers.js";
import { Tracing } from "./trace/tracing.js";
import type { Departures } from "./work/departures.js";
import { Dispatch } from "./work/dispatch.js";
import { WorkDesk } from "./work/work-desk.js";

/**
 * Everything that lives in memory over one open store. A failed write ends it; the engine then
 * makes a new one over the reopened store.
 */
export class Runtime implements MailboxHost {
  readonly store: Store;
  #options: ResolvedOptions;
  readonly changes: ChangeLog;
  readonly extents: Extents;
  readonly journal: Journal;
  readonly mailboxes: Mailboxes;
  readonly delivery: Delivery;
  readonly dispatch: Dispatch;
  readonly desk: WorkDesk;
  readonly timers: Timers;
  readonly retention: Retention;
  readonly departures: Departures;
  /** Undefined: no spans are made. */
  readonly tracing: Tracing | undefined;
  readonly #waiters: Waiters;
  readonly #onFailure: (error: unknown) => void;
  /** Instances that go on, or end, when other workers come or go. */
  readonly #stuck = new Set<Mailbox>();
  #outboxSequence = 0;
  /** Things under way that no queue shows: deliveries, timers being fired. */
  #busy = 0;

  constructor(
    store: Store,
    options: ResolvedOptions,
    waiters: Waiters,
    departures: Departures,
    onFailure: (error: unknown) => void,
  ) {
    this.store = store;
    this.#options = options;
    this.departures = departures;
    this.#waiters = waiters;
    this.#onFailure = onFailure;
    this.changes = new ChangeLog(store, () => waiters.notifyAll());
    this.extents = new Extents(store);
    this.journal = new Journal(this.extents, this.changes, options, onFailure);
    this.mailboxes = new Mailboxes(store, this, options);
    this.delivery = new Delivery(this);
    this.desk = new WorkDesk(this);
    this.dispatch = new Dispatch(this.desk, options.concurrency);
    this.retention = new Retention(this);
    this.tracing = options.tracing && new Tracing(options.tracing, options);
    this.timers = new Timers(store, options.clock, (timer) => this.#fire(timer), onFailure);
  }

  get options(): ResolvedOptions {
    return this.#options;
  }

  /** Other limits and times hold from now on. */
  reconfigure(options: ResolvedOptions): void {
    const before = this.#options;
    this.#options = options;
    this.dispatch.setLimits(options.concurrency);
    // It would go through all that has ended for nothing.
    if (!isDeepStrictEqual(before.retention, options.retention)) {
      this.retention.change(options.retention);
    }
  }

  get keepsExecutions(): boolean {
    return this.#options.keepExecutions;
  }

  now(): number {
    return this.options.clock.now();
  }

  nextOutboxSequence(): number {
    // Keys have room for so many; by then, those before have arrived.
    this.#outboxSequence = (this.#outboxSequence + 1) % 2 ** 32;
    return this.#outboxSequence;
  }

  /** Goes on from the messages that a recovery found. */
  skipOutboxSequence(sequence: number): void {
    this.#outboxSequence = Math.max(this.#outboxSequence, sequence);
  }

  /**
   * The one path of every change: decide on the state, carry the outcome out, wait for the disk.
   * @throws what `decide` throws, INSTANCE_DAMAGED, STORE_UNAVAILABLE
   */
  command(
    instanceId: string,
    decide: (state: InstanceState | undefined) => Outcome,
  ): Promise<void> {
    return this.mailboxes.run(instanceId, (mailbox) => {
      let outcome: Outcome;
      try {
        outcome = decide(mailbox.state);
      } catch (refusal) {
        return this.#refuse(mailbox, refusal);
      }
      return this.apply(mailbox, outcome);
    });
  }

  /** A refusal rests on what may still be on its way, just as an answer does. */
  async #refuse(mailbox: Mailbox, refusal: unknown): Promise<never> {
    await this.durable(mailbox);
    throw refusal;
  }

  /** Resolves when all that is known of an instance is on disk. */
  durable(mailbox: Mailbox): Promise<void> {
    return (mailbox.isDirty() ? mailbox.lastCommit : undefined) ?? Promise.resolve();
  }

  /** Carries an outcome out; resolves when it is on disk. */
  apply(mailbox: Mailbox, outcome: Outcome, extra: readonly StoreWrite[] = []): Promise<void> {
    // What the answer rests on may still be on its way.
    if (outcome === nothing && extra.length === 0) return this.durable(mailbox);
    const { state } = mailbox;
    // Made of the state before: it is changed in place.
    const emitSpans = state && this.tracing?.turn(state, outcome, this.now());
    mailbox.apply(outcome, extra);
    if (outcome.turn !== undefined) {
      const committed = this.journal.commit(mailbox, true);
      emitSpans?.(committed);
      mailbox.lastCommit = committed;
      if (mustWait(mailbox.state)) this.#stuck.add(mailbox);
      else this.wake(mailbox);
      return committed;
    }
    if (mailbox.refusedBy.size > 0 && outcome.accepted.length > 0) {
      // Whoever could not go on may be able to with this.
      mailbox.forgetRefusals();
      this.dequeue(mailbox);
    }
    // A turn that has just begun will commit with these events, if it is quick.
    const isRunning = this.wake(mailbox);
    mailbox.lastCommit = this.journal.commit(mailbox, !isRunning);
    return mailbox.lastCommit;
  }

  /** A worker has come or gone: what was stalled may go on, what is to end may end without it. */
  workersChanged(): void {
    const stuck = [...this.#stuck];
    this.#stuck.clear();
    for (const mailbox of stuck) this.wake(mailbox);
    this.desk.refusals.look();
  }

  /**
   * Sees to it that the events in the inbox get their turn. True when a worker has just been given
   * all of them.
   */
  wake(mailbox: Mailbox): boolean {
    const { state } = mailbox;
    if (state === undefined || hasEnded(state) || state.inbox.length === 0) return false;
    if (mailbox.turn !== undefined) return false;
    if (isTerminating(state)) {
      if (this.#needsNoWorker(mailbox, state)) {
        this.dequeue(mailbox);
        this.apply(mailbox, terminateNow(state, this.now())).catch(() => {});
        return false;
      }
      this.#stuck.add(mailbox);
    }
    if (mailbox.queued || isDelayed(state, this.now())) return false;
    mailbox.queued = true;
    mailbox.place = {
      instanceId: mailbox.instanceId,
      workflow: state.workflow,
      lastWorkerId: mailbox.lastWorkerId,
      refusedBy: mailbox.refusedBy,
      bytes: mailbox.largeTurnBytes,
    };
    this.dispatch.addTurn(mailbox.place);
    return mailbox.isTurnWhole();
  }

  /**
   * A turn was lost. Where the clock has been set back to before the delayed start that it was the
   * first turn of, nothing else waits for that instant any more.
   */
  again(mailbox: Mailbox): void {
    const { state, instanceId } = mailbox;
    if (state === undefined || !isDelayed(state, this.now())) {
      this.wake(mailbox);
      return;
    }
    const { generation, startAt: fireAt } = state;
    this.timers.arm({ instanceId, generation, timerId: startTimerId, fireAt });
  }

  /** Gives up an instance's place in the dispatch queue, if it has one. */
  dequeue(mailbox: Mailbox): void {
    if (mailbox.place === undefined) return;
    this.dispatch.dropTurn(mailbox.place);
    mailbox.place = undefined;
    mailbox.queued = false;
  }

  /** A terminate that a worker need not, or cannot, carry out. */
  #needsNoWorker(mailbox: Mailbox, state: InstanceState): boolean {
    return (
      state.fold.stall !== undefined ||
      mailbox.failedTurns > 0 ||
      isDelayed(state, this.now()) ||
      !this.dispatch.canRun(state.workflow)
    );
  }

  committed(mailbox: Mailbox, { tasks, posted, kept, timers }: Effects): void {
    for (const timer of timers) this.timers.arm(timer);
    for (const asked of tasks) this.desk.schedule(mailbox, asked);
    for (const message of posted) this.delivery.deliver(message);
    // Its end may have come to the disk with the next one's beginning, or a moment before.
    for (const row of kept) this.retention.ended(row);
    const { state, snapshot } = mailbox;
    if (state === undefined || hasEnded(state)) {
      this.#stuck.delete(mailbox);
      this.dispatch.release(mailbox.instanceId);
      const isDone = state !== undefined && !hasWorkAtHand(state, this.now());
      if (isDone && snapshot !== undefined) this.retention.ended(snapshot.row);
    }
    this.#waiters.notify(mailbox.instanceId, mailbox.snapshot);
    this.mailboxes.touch(mailbox);
    this.mailboxes.settle(mailbox);
  }

  /** Resolves when a timer has fired and that is on disk, or has failed. */
  #fire(timer: TimerKey): Promise<void> {
    const fired = this.mailboxes.run(timer.instanceId, (mailbox) => {
      const { state } = mailbox;
      if (state === undefined) return undefined;
      if (timer.timerId === startTimerId) {
        this.again(mailbox);
        return undefined;
      }
      return this.apply(mailbox, fireTimer(state, timer, this.now()));
    });
    return this.track(fired, "a timer cannot fire", timer.instanceId);
  }

  /** For those who found out that the store fails: it is opened again. */
  storeFailed(error: unknown): void {
    this.#onFailure(error);
  }

  /** True when nothing is under way and nothing can be handed out. */
  isIdle(): boolean {
    return (
      this.#busy === 0 &&
      this.journal.isIdle() &&
      !this.timers.isBusy() &&
      !this.retention.isBusy() &&
      this.dispatch.busyCount() === 0
    );
  }

  /** Counts as busy until the work has ended, well or not; resolves then. */
  track(work: Promise<unknown>, failed: string, instanceId?: string): Promise<void> {
    this.#busy += 1;
    return work
      .then(() => {})
      .catch((error) => this.#report(error, failed, instanceId))
      .finally(() => {
        this.#busy -= 1;
      });
  }

  /** Logs a failure that no caller waits for. A store that failed is opened again. */
  failed(error: unknown, message: string): void {
    this.#report(error, message);
  }

  /**
   * Logs what no caller waits for. When the store is what failed, it is opened again, and recovery
   * takes the work up: nobody else would.
   */
  #report(error: unknown, message: string, instanceId?: string): void {
    if (isUnavailable(error)) {
      this.#onFailure(error);
      return;
    }
    const code = isEngineError(error) ? error.code : "INTERNAL";
    const reason = reasonOf(error);
    this.options.logger.error({ code, instanceId, reason }, message);
  }
}

/** True for a stalled instance: other workers may run it. A terminate that came meanwhile ends it now. */
function mustWait(state: InstanceState | undefined): boolean {
  return state?.fold.stall !== undefined && !isTerminating(state);
}
