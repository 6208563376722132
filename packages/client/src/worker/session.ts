// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { type HistoryEvent, setAlarm, WorkflowActionSchema } from "@pawl/protocol";
import { createDeferred } from "../async/deferred.js";
import type { Logger } from "../authoring.js";
import { failureOf } from "../failure.js";
import type { Failure } from "../port.js";
import { runActivity } from "./activity.js";
import { InstanceCache, type Seat } from "./instance-cache.js";
import type {
  ActivityOutcome,
  ActivityTask,
  Turn,
  WorkChannel,
  WorkReceiver,
} from "./link/work.js";
import type { Registry } from "./registry.js";
import { completionAction } from "./replay/completion.js";
import { Replay, type TurnOutcome } from "./replay/replay.js";
import { settled } from "./replay/settle.js";

/** The number of a completing action that no replay gave one. */
const failedId = 2_147_483_647;

/** Says that the worker has not the version that the instance goes on with. */
const lacking = create(WorkflowActionSchema, {
  id: -1,
  workflowActionType: { case: "workflowVersionNotAvailable", value: {} },
});

/** What a session runs with. */
export interface SessionOptions {
  readonly registry: Registry;
  readonly cacheLimit: number;
  readonly logger: Logger;
}

/** A turn at work. */
interface Run {
  readonly turn: Turn;
  readonly seat: Seat;
  /** Absent: it is answered without the workflow's code. */
  readonly replay: Replay | undefined;
}

const noPast: readonly HistoryEvent[] = [];

/**
 * A worker's time on one channel: runs what is delivered, answers on the channel. What it holds of
 * instances ends with it, as does what the server takes it to hold.
 */
export class Session implements WorkReceiver {
  readonly #registry: Registry;
  readonly #logger: Logger;
  readonly #cache: InstanceCache;
  readonly #attached = createDeferred<WorkChannel>();
  #channel: WorkChannel | undefined;
  readonly #stopping = new AbortController();
  /** What has come and has not begun. */
  #turns: Run[] = [];
  #activities: ActivityTask[] = [];
  #isAwake = false;
  #isDraining = false;
  #inFlight = 0;
  #whenIdle: (() => void) | undefined;

  constructor(options: SessionOptions) {
    this.#registry = options.registry;
    this.#logger = options.logger;
    this.#cache = new InstanceCache(options.cacheLimit);
  }

  /** Says where results go. */
  attach(channel: WorkChannel): void {
    this.#channel = channel;
    this.#attached.resolve(channel);
  }

  turn(turn: Turn): void {
    if (!this.#begin()) return;
    try {
      const seat = this.#cache.begin(turn.instanceId, turn.token);
      const held = this.#cache.take(seat, turn.executionId);
      const past = turn.isCached ? noPast : turn.past();
      const replay = turn.isCached ? held : this.#createReplay(turn, past);
      replay?.begin(past, turn.events);
      this.#turns.push({ turn, seat, replay });
    } catch (error) {
      this.#failed(error);
      this.#done();
    }
  }

  activity(task: ActivityTask): void {
    if (this.#begin()) this.#activities.push(task);
  }

  release(instanceId: string): void {
    this.#cache.delete(instanceId);
  }

  /** Takes nothing more; resolves when what was begun is done, at the latest after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    this.#isDraining = true;
    if (this.#inFlight === 0) return;
    const { promise, resolve } = createDeferred();
    this.#whenIdle = resolve;
    const cancel = setAlarm(graceMs, resolve);
    await promise;
    cancel();
  }

  /** Tells activities that are still running to stop; their results go nowhere. */
  abort(): void {
    this.#isDraining = true;
    this.#stopping.abort();
  }

  /** What comes while draining is left alone: it goes to other workers when the channel ends. */
  #begin(): boolean {
    if (this.#isDraining) return false;
    this.#inFlight += 1;
    if (!this.#isAwake) void this.#runArrived();
    return true;
  }

  #done(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#whenIdle?.();
  }

  #failed(error: unknown): void {
    this.#logger.error({ error }, "a work item was not answered");
  }

  /**
   * Runs what has come by now together: the turns wait for their code in one tick, and nothing needs a
   * promise of its own that does not wait for something of its own.
   */
  async #runArrived(): Promise<void> {
    this.#isAwake = true;
    // The engine is still handing out. And from here on this runs in microtasks, as `settled` needs it.
    await undefined;
    const activities = this.#activities;
    const turns = this.#turns;
    this.#activities = [];
    this.#turns = [];
    this.#isAwake = false;
    const channel = this.#channel ?? (await this.#attached.promise);
    for (const task of activities) this.#runActivity(channel, task);
    if (turns.length > 0) await this.#runTurns(channel, turns);
  }

  #runActivity(channel: WorkChannel, task: ActivityTask): void {
    const { signal } = this.#stopping;
    if (signal.aborted) {
      this.#done();
      return;
    }
    const definition = this.#registry.activities.get(task.name);
    const outcome = runActivity(definition, task, signal, this.#logger);
    if (!(outcome instanceof Promise)) this.#answerActivity(channel, task, outcome);
    else void outcome.then((late) => this.#answerActivity(channel, task, late));
  }

  #answerActivity(channel: WorkChannel, task: ActivityTask, outcome: ActivityOutcome): void {
    try {
      if (!this.#stopping.signal.aborted) channel.completeActivity(task, outcome);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#done();
    }
  }

  async #runTurns(channel: WorkChannel, turns: readonly Run[]): Promise<void> {
    for (const { replay } of turns) replay?.advance();
    await settled();
    for (const run of turns) {
      if (run.replay?.advance()) void run.replay.finish().then(() => this.#answer(channel, run));
      else this.#answer(channel, run);
    }
  }

  #answer(channel: WorkChannel, run: Run): void {
    try {
      const outcome = this.#outcomeOf(run);
      if (this.#stopping.signal.aborted) return;
      // Held before the answer leaves: the next turn may follow at once.
      const displaced = this.#hold(run, outcome);
      if (outcome === undefined) channel.missTurn(run.turn);
      else channel.completeTurn(run.turn, outcome);
      if (displaced !== undefined) channel.evict(displaced);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#done();
    }
  }

  /** `undefined`: a cache miss. */
  #outcomeOf({ turn, replay }: Run): TurnOutcome | undefined {
    if (replay === undefined) return this.#withoutReplay(turn);
    try {
      return replay.outcome();
    } catch (error) {
      const { instanceId } = turn;
      this.#logger.error({ error, instanceId }, "a turn could not be replayed");
      return failedOutcome(failureOf(error));
    }
  }

  /**
   * Holds an instance until its next turn, unless a newer turn has replaced this one. Gives the one that is
   * held no longer: another, or this one where that is not worth it.
   */
  #hold({ turn, seat, replay }: Run, outcome: TurnOutcome | undefined): string | undefined {
    if (seat.token !== turn.token) return undefined;
    const isOver = replay === undefined || outcome === undefined || outcome.hasEnded;
    if (!isOver && !replay.isDormant) return this.#cache.put(seat, replay);
    this.#cache.delete(turn.instanceId);
    return isOver ? undefined : turn.instanceId;
  }

  #createReplay(turn: Turn, past: readonly HistoryEvent[]): Replay | undefined {
    const workflow = this.#registry.workflows.get(turn.workflow)?.choose(past);
    if (workflow === undefined) return undefined;
    const { instanceId, executionId } = turn;
    return new Replay({ workflow, instanceId, executionId, log: this.#logger });
  }

  #withoutReplay(turn: Turn): TurnOutcome | undefined {
    if (turn.isCached) return undefined;
    if (this.#registry.workflows.has(turn.workflow)) return { actions: [lacking], hasEnded: false };
    const message = `this worker has no workflow "${turn.workflow}"`;
    const failure = { type: "WorkflowNotRegistered", message, nonRetriable: true };
    return failedOutcome(failure);
  }
}

/** Fails an instance whose code could not be asked. */
function failedOutcome(failure: Failure): TurnOutcome {
  return {
    actions: [completionAction({ kind: "failed", id: failedId, failure }, [])],
    hasEnded: true,
  };
}
