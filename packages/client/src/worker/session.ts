// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { type HistoryEvent, setAlarm, WorkflowActionSchema } from "@pawl/protocol";
import { createDeferred } from "../async/deferred.js";
import type { Logger } from "../authoring.js";
import { failureOf } from "../failure.js";
import type { Failure } from "../port.js";
import { runActivity } from "./activity.js";
import { InstanceCache } from "./instance-cache.js";
import type { ActivityTask, Turn, WorkChannel, WorkReceiver } from "./link/work.js";
import type { Registry } from "./registry.js";
import { completionAction } from "./replay/completion.js";
import { Replay, type TurnOutcome } from "./replay/replay.js";

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
  /** The token of each instance's latest turn in flight. */
  readonly #turns = new Map<string, string>();
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
    if (this.#begin()) void this.#runTurn(turn);
  }

  activity(task: ActivityTask): void {
    if (this.#begin()) void this.#runActivity(task);
  }

  release(instanceId: string): void {
    this.#cache.delete(instanceId);
    this.#turns.delete(instanceId);
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
    return true;
  }

  #done(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#whenIdle?.();
  }

  #failed(error: unknown): void {
    this.#logger.error({ error }, "a work item was not answered");
  }

  async #runActivity(task: ActivityTask): Promise<void> {
    try {
      const definition = this.#registry.activities.get(task.activity);
      const outcome = await runActivity(definition, task, this.#stopping.signal, this.#logger);
      const channel = this.#channel ?? (await this.#attached.promise);
      if (!this.#stopping.signal.aborted) channel.completeActivity(task, outcome);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#done();
    }
  }

  async #runTurn(turn: Turn): Promise<void> {
    try {
      this.#turns.set(turn.instanceId, turn.token);
      const held = this.#cache.take(turn.instanceId, turn.executionId);
      const past = turn.isCached ? [] : turn.past();
      const replay = turn.isCached ? held : this.#createReplay(turn, past);
      let outcome: TurnOutcome | undefined;
      try {
        // Also what is known at once is answered later: the engine is still handing the turn out.
        outcome = await (replay?.turn(past, turn.events) ?? this.#withoutReplay(turn));
      } catch (error) {
        const { instanceId } = turn;
        this.#logger.error({ error, instanceId }, "a turn could not be replayed");
        outcome = failedOutcome(failureOf(error));
      }
      const channel = this.#channel ?? (await this.#attached.promise);
      if (!this.#stopping.signal.aborted) this.#answer(channel, turn, replay, outcome);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#done();
    }
  }

  #answer(
    channel: WorkChannel,
    turn: Turn,
    replay: Replay | undefined,
    outcome: TurnOutcome | undefined,
  ): void {
    // Held before the answer leaves: the next turn may follow at once.
    const displaced = this.#hold(turn, replay, outcome);
    if (outcome === undefined) channel.missTurn(turn);
    else channel.completeTurn(turn, outcome);
    if (displaced !== undefined) channel.evict(displaced);
  }

  /**
   * Holds an instance until its next turn, unless a newer turn has replaced this one. Gives the one that is
   * held no longer: another, or this one where that is not worth it.
   */
  #hold(
    turn: Turn,
    replay: Replay | undefined,
    outcome: TurnOutcome | undefined,
  ): string | undefined {
    if (this.#turns.get(turn.instanceId) !== turn.token) return undefined;
    this.#turns.delete(turn.instanceId);
    if (replay === undefined || outcome === undefined || outcome.hasEnded) return undefined;
    return replay.isDormant ? replay.instanceId : this.#cache.put(replay);
  }

  #createReplay(turn: Turn, past: readonly HistoryEvent[]): Replay | undefined {
    const workflow = this.#registry.workflows.get(turn.workflow)?.choose(past);
    if (workflow === undefined) return undefined;
    const { instanceId, executionId } = turn;
    return new Replay({ workflow, instanceId, executionId, log: this.#logger });
  }

  /** `undefined`: a cache miss. */
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
