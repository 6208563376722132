// SPDX-License-Identifier: Apache-2.0

import type { EventRecord } from "@pawl/protocol";
import type {
  ActivityCompletion,
  ActivityItem,
  TurnCompletion,
  TurnItem,
} from "@pawl/protocol/port";
import { completeActivity } from "../../core/command/complete-activity.js";
import { completeTurn, isStaleTurn, stallTurn } from "../../core/command/complete-turn.js";
import { nothing, type Outcome } from "../../core/outcome.js";
import { needsHistory } from "../../core/propagation.js";
import type { OwnedState } from "../../core/state.js";
import { hasEnded } from "../../core/status.js";
import type { Piece } from "../../store/codec.js";
import type { AskedTask } from "../commit/effects.js";
import type { Mailbox } from "../mailbox.js";
import type { Runtime } from "../runtime.js";
import type { DispatchHost, TurnWork } from "./dispatch.js";
import {
  activityItem,
  cachedEventCount,
  noteCached,
  turnBytes,
  turnEvents,
  turnItem,
} from "./make-item.js";
import { isGivenHistory, propagatedTo, recordsOf } from "./propagated.js";
import { Refusals } from "./refusals.js";
import {
  type ActivityWork,
  findActivity,
  isStillWanted,
  type TurnInFlight,
  type Worker,
} from "./worker.js";

/** Longest pause before a turn that was given up is tried again. */
const maxRetryMs = 30_000;

const nobody: ReadonlySet<string> = new Set();

/** Gives work items out and takes their results in. */
export class WorkDesk implements DispatchHost {
  readonly #runtime: Runtime;
  /** Cancels of the pauses before turns that were given up. */
  readonly #pauses = new Set<() => void>();

  /** What a worker gave back because it is not registered there. */
  readonly refusals: Refusals;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.refusals = new Refusals(runtime);
  }

  /** Queues an activity whose scheduling is on disk. */
  schedule(mailbox: Mailbox, { executionId, task }: AskedTask): void {
    const { eventType } = task.record.event;
    if (mailbox.state === undefined || eventType.case !== "taskScheduled") return;
    this.#runtime.dispatch.addActivity({
      mailbox,
      instanceId: mailbox.instanceId,
      executionId,
      taskId: task.taskId,
      name: eventType.value.name,
      record: task.record,
      refusedBy: nobody,
    });
  }

  takeTurn(work: TurnWork, worker: Worker): TurnItem | undefined | Promise<TurnItem | undefined> {
    const mailbox = this.#runtime.mailboxes.peek(work.instanceId);
    if (mailbox === undefined || mailbox.place !== work) return undefined;
    mailbox.place = undefined;
    const { state } = mailbox;
    if (state === undefined || hasEnded(state) || state.inbox.length === 0) {
      mailbox.queued = false;
      this.#runtime.mailboxes.settle(mailbox);
      return undefined;
    }
    const whole = cachedEventCount(worker, state) === state.fold.eventCount;
    const pieces = whole ? [] : this.#runtime.mailboxes.history(mailbox);
    return pieces instanceof Promise
      ? this.#takeLater(work, mailbox, state.executionId, worker, pieces)
      : this.#begin(work, mailbox, state, worker, pieces);
  }

  async #takeLater(
    work: TurnWork,
    mailbox: Mailbox,
    executionId: string,
    worker: Worker,
    reading: Promise<Piece[]>,
  ): Promise<TurnItem | undefined> {
    try {
      const pieces = await reading;
      const { state } = mailbox;
      const isSame = state?.executionId === executionId && !hasEnded(state);
      if (isSame && this.#runtime.dispatch.holds(worker)) {
        return this.#begin(work, mailbox, state, worker, pieces);
      }
      mailbox.queued = false;
      this.#runtime.again(mailbox);
      this.#runtime.mailboxes.settle(mailbox);
    } catch (error) {
      this.#giveUp(mailbox, error instanceof Error ? error.message : String(error));
    }
    return undefined;
  }

  #begin(
    work: TurnWork,
    mailbox: Mailbox,
    state: OwnedState,
    worker: Worker,
    pieces: readonly Piece[],
  ): TurnItem | undefined {
    mailbox.queued = false;
    const events = turnEvents(state, this.#runtime.now());
    const token = worker.nextToken();
    const cached = cachedEventCount(worker, state);
    const item = turnItem(state, pieces, cached, events, token);
    const bytes = worker.turnBytes === Number.POSITIVE_INFINITY ? 0 : turnBytes(item);
    if (bytes > worker.turnBytes) {
      worker.cached.delete(state.instanceId);
      mailbox.largeTurnBytes = bytes;
      if (this.#runtime.dispatch.canTake({ ...work, bytes })) this.#runtime.again(mailbox);
      else this.#stall(mailbox, state, worker.turnBytes);
      return undefined;
    }
    mailbox.turn = { token, workerId: worker.workerId, events };
    worker.addTurn(token, work);
    if (worker.cache === "past") {
      const { executionId, fold } = state;
      worker.cached.set(state.instanceId, { executionId, eventCount: fold.eventCount });
    }
    return item;
  }

  /** No worker takes a turn of this size: the instance waits for one that does. */
  #stall(mailbox: Mailbox, state: OwnedState, limitBytes: number): void {
    // Without the size: it grows with each stall, and the same stall is recorded once.
    const description = `Workflow payload size is more than the ${limitBytes} bytes that a worker takes`;
    const stall = { reason: "PAYLOAD_SIZE_EXCEEDED", description } as const;
    this.#runtime.apply(mailbox, stallTurn(state, stall, this.#runtime.now())).catch(() => {});
  }

  takeActivity(
    work: ActivityWork,
    worker: Worker,
  ): ActivityItem | undefined | Promise<ActivityItem | undefined> {
    this.refusals.taken(work);
    if (!isStillWanted(work)) return undefined;
    return isGivenHistory(work)
      ? this.#takeActivityLater(work, worker)
      : this.#beginActivity(work, worker);
  }

  /** An activity that is given its workflow's history: that may have to be read. */
  async #takeActivityLater(work: ActivityWork, worker: Worker): Promise<ActivityItem | undefined> {
    const { dispatch, mailboxes, options } = this.#runtime;
    try {
      const pieces = await mailboxes.history(work.mailbox);
      if (!isStillWanted(work)) return undefined;
      if (dispatch.holds(worker) && worker.activityRoom() > 0) {
        return this.#beginActivity(work, worker, propagatedTo(work, pieces, options.appId));
      }
      this.refusals.returned(work);
    } catch (error) {
      // What was purged meanwhile could not be read, and need not be.
      if (isStillWanted(work)) this.#runtime.failed(error, "an activity cannot be handed out");
    }
    return undefined;
  }

  #beginActivity(
    work: ActivityWork,
    worker: Worker,
    propagated?: Uint8Array,
  ): ActivityItem | undefined {
    const token = worker.nextToken();
    const ownTrace = this.#runtime.tracing?.activityBegun(work, token);
    const item = activityItem(work, token, ownTrace, propagated);
    if (item !== undefined) worker.addActivity(token, work);
    return item;
  }

  /** Takes a turn's result; resolves when it is on disk. Stale ones change nothing. */
  completeTurn(completion: TurnCompletion): Promise<void> {
    const mailbox = this.#runtime.mailboxes.peek(completion.instanceId);
    const turn = mailbox?.turn;
    const { token } = completion;
    if (mailbox === undefined || turn === undefined) return Promise.resolve();
    if (token !== "" && token !== turn.token) return Promise.resolve();
    const { state } = mailbox;
    return state !== undefined && needsHistory(state, completion.actions)
      ? this.#completeLater(mailbox, turn, completion)
      : this.#complete(mailbox, turn, completion, []);
  }

  /** A turn that hands its history on: that may have to be read. */
  async #completeLater(
    mailbox: Mailbox,
    turn: TurnInFlight,
    completion: TurnCompletion,
  ): Promise<void> {
    try {
      const pieces = await this.#runtime.mailboxes.history(mailbox);
      // It may have been given up meanwhile, or taken.
      if (mailbox.turn === turn) {
        await this.#complete(mailbox, turn, completion, recordsOf(pieces));
      }
    } catch (error) {
      if (mailbox.turn !== turn) throw error;
      this.#left(mailbox, turn);
      this.#giveUp(mailbox, error instanceof Error ? error.message : String(error));
    }
  }

  #complete(
    mailbox: Mailbox,
    turn: TurnInFlight,
    completion: TurnCompletion,
    history: readonly EventRecord[],
  ): Promise<void> {
    const worker = this.#left(mailbox, turn);
    const committed = this.#finish(mailbox, turn, { ...completion, history }, worker);
    this.#runtime.dispatch.pump();
    return committed;
  }

  /** A turn is no longer in flight; gives the worker that had it. */
  #left(mailbox: Mailbox, { token, workerId }: TurnInFlight): Worker | undefined {
    const worker = this.#runtime.dispatch.workers.get(workerId);
    worker?.dropTurn(token);
    mailbox.turn = undefined;
    return worker;
  }

  #finish(
    mailbox: Mailbox,
    turn: TurnInFlight,
    completion: TurnCompletion & { readonly history: readonly EventRecord[] },
    worker: Worker | undefined,
  ): Promise<void> {
    const { state } = mailbox;
    if (state === undefined) return Promise.resolve();
    const verdict = this.refusals.judge(mailbox, state, turn.workerId, completion);
    if (verdict === "passed") return this.#runtime.durable(mailbox);
    if (verdict === "stalls" && mailbox.stall !== undefined) {
      return this.#runtime.apply(mailbox, stallTurn(state, mailbox.stall, this.#runtime.now()));
    }
    try {
      const { actions, customStatus, version, history } = completion;
      const informedBy = worker?.cache === "none" ? { informedBy: turn.events } : {};
      if (isStaleTurn(state, { actions, version, ...informedBy })) {
        throw new RangeError("the turn asks again for what history already has");
      }
      const { createId, historyLimit, appId } = this.#runtime.options;
      const historyBytes = mailbox.historyBytes();
      const facts = {
        events: turn.events,
        actions,
        customStatus,
        version,
        history,
        createId,
        historyBytes,
        historyLimit,
        appId,
      };
      const outcome = completeTurn(state, facts, this.#runtime.now());
      if (outcome.stall !== undefined) {
        return this.#refuse(mailbox, state, turn.workerId, outcome);
      }
      mailbox.lastWorkerId = turn.workerId;
      if (worker !== undefined) noteCached(worker, state, outcome);
      // Before the next turn is queued.
      mailbox.forgetRefusals();
      this.refusals.ended(mailbox);
      const committed = this.#runtime.apply(mailbox, outcome);
      mailbox.failedTurns = 0;
      mailbox.largeTurnBytes = 0;
      // The worker has the history; should it lose it, the store has it, too.
      if (worker?.cache === "result" && !hasEnded(state)) mailbox.pieces = undefined;
      return committed;
    } catch (error) {
      worker?.cached.delete(mailbox.instanceId);
      this.#giveUp(mailbox, error instanceof Error ? error.message : String(error));
      return Promise.resolve();
    }
  }

  /** The worker has not the code for it: another one may; the instance is stalled when none has. */
  #refuse(
    mailbox: Mailbox,
    { workflow }: OwnedState,
    workerId: string,
    stalled: Outcome,
  ): Promise<void> {
    const { dispatch } = this.#runtime;
    dispatch.workers.get(workerId)?.cached.delete(mailbox.instanceId);
    mailbox.refusedBy = new Set([...mailbox.refusedBy, workerId]);
    mailbox.stall = stalled.stall;
    const { instanceId, lastWorkerId, refusedBy, largeTurnBytes: bytes } = mailbox;
    if (!dispatch.canTake({ instanceId, workflow, lastWorkerId, refusedBy, bytes })) {
      return this.#runtime.apply(mailbox, stalled);
    }
    this.#runtime.again(mailbox);
    return this.#runtime.durable(mailbox);
  }

  /** Takes an activity's result; resolves when it is on disk. Stale ones change nothing. */
  completeActivity(completion: ActivityCompletion): Promise<void> {
    const found = findActivity(this.#runtime.dispatch.workers.values(), completion);
    if (found === undefined) return Promise.resolve();
    const { worker, token, work } = found;
    worker.dropActivity(token);
    if (completion.unregistered !== work.name) worker.repertoire.show("activity", work.name);
    else {
      this.refusals.denied(worker, "activity", work.name);
      if (this.refusals.passActivity(work, worker)) {
        this.#runtime.tracing?.activityPassedOn(token);
        return Promise.resolve();
      }
    }
    this.#runtime.dispatch.pump();
    const { executionId, taskId } = work;
    const { output, failure } = completion;
    const stored = this.#runtime.command(work.instanceId, (state) =>
      state === undefined
        ? nothing
        : completeActivity(state, { executionId, taskId, output, failure }, this.#runtime.now()),
    );
    this.#runtime.tracing?.activityDone(work, token, failure?.errorMessage, stored);
    return stored;
  }

  /** A worker cannot take a turn: it goes out again, whole. */
  returnTurn(worker: Worker, instanceId: string, token: string): void {
    const mailbox = this.#runtime.mailboxes.peek(instanceId);
    if (mailbox?.turn?.token !== token) return;
    worker.dropTurn(token);
    worker.cached.delete(instanceId);
    mailbox.turn = undefined;
    this.#runtime.again(mailbox);
  }

  /** A worker is gone: what it had goes to others. */
  release(worker: Worker): void {
    const { mailboxes, dispatch } = this.#runtime;
    for (const [token, { instanceId }] of [...worker.turns]) {
      worker.dropTurn(token);
      const mailbox = mailboxes.peek(instanceId);
      if (mailbox?.turn?.token !== token) continue;
      mailbox.turn = undefined;
      this.#runtime.again(mailbox);
    }
    const works = [...worker.activities].reverse();
    worker.cached.clear();
    for (const [token, work] of works) {
      this.#runtime.tracing?.activityEnded(work, token, "its worker went away");
      worker.dropActivity(token);
      this.refusals.returned(work);
    }
    dispatch.pump();
  }

  /** A turn came to nothing: it is tried again after a pause that grows. */
  #giveUp(mailbox: Mailbox, reason: string): void {
    const { logger, clock } = this.#runtime.options;
    const { instanceId } = mailbox;
    logger.warn({ instanceId, reason }, "a turn was given up and will be tried again");
    const waitMs = Math.min(100 * 2 ** mailbox.failedTurns, maxRetryMs);
    mailbox.failedTurns += 1;
    mailbox.queued = true;
    const cancel = clock.setDelay(waitMs, () => {
      mailbox.endPause?.();
      this.#runtime.again(mailbox);
      this.#runtime.mailboxes.settle(mailbox);
    });
    this.#pauses.add(cancel);
    mailbox.endPause = () => {
      this.#pauses.delete(cancel);
      cancel();
      mailbox.endPause = undefined;
      mailbox.queued = false;
    };
    // A terminate does not wait for an answer that can be carried out.
    this.#runtime.wake(mailbox);
  }

  /** No turn that was given up is tried again. */
  close(): void {
    for (const cancel of this.#pauses) cancel();
    this.#pauses.clear();
  }
}
