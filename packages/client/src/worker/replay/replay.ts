// SPDX-License-Identifier: Apache-2.0

import { fromTimestamp, type HistoryEvent, type WorkflowAction } from "@pawl/protocol";
import type { AnyWorkflow, Logger } from "../../authoring.js";
import { DivergenceError } from "../../errors.js";
import { failureOf } from "../../failure.js";
import { parsePayload, stringifyPayload } from "../../payload.js";
import { completionAction, type Ending } from "./completion.js";
import { type ContextHost, ReplayContext } from "./context.js";
import { foreignPromise, outsideTurn, stepOf } from "./divergence.js";
import { EventQueue } from "./event-queue.js";
import { Patches } from "./patches.js";
import { breathe, settled } from "./settle.js";
import { type Ask, type ResultKind, TaskLedger } from "./task-ledger.js";
import { runOwned } from "./unhandled.js";

/** What an execution runs with. */
export interface ReplayOptions {
  readonly workflow: AnyWorkflow;
  readonly instanceId: string;
  readonly executionId: string;
  readonly log: Logger;
}

/** What a turn asks for. */
export interface TurnOutcome {
  readonly actions: readonly WorkflowAction[];
  /** JSON text; absent: there is none. */
  readonly customStatus?: string;
  /** Every patch that the code has taken so far, in order; absent: none. */
  readonly patches?: readonly string[];
  /** The version of the code that ran; absent: it has none. */
  readonly version?: string;
  /** The execution has ended: it gets no further turn. */
  readonly hasEnded: boolean;
}

interface Held {
  readonly event: HistoryEvent;
  readonly number: number;
}

/** One that sleeps longer than this, and has had no more events, is sooner replayed than held. */
const napMs = 10_000;
const briefEvents = 50;

const noEvents: readonly HistoryEvent[] = [];

/** Events after which a long replay lets the process do other things. */
const eventsPerBreath = 500;

/**
 * One execution in memory: a workflow's code, and how far it has come. It is fed one history
 * event after the other; after each that wakes the code it waits until the code is blocked again
 * (`settled`), so that every replay sees the same order.
 */
export class Replay implements ContextHost {
  readonly instanceId: string;
  readonly executionId: string;
  seed: string;
  readonly workflow: string;
  readonly version: string | undefined;
  readonly log: Logger;
  readonly events = new EventQueue();
  readonly #definition: AnyWorkflow;
  readonly #ledger = new TaskLedger();
  readonly #patches = new Patches();
  #now = 0;
  #isReplaying = false;
  #isInTurn = false;
  #isSuspended = false;
  #hasBegun = false;
  #hasWoken = false;
  /** What the turn feeds, and how far it is. */
  #events = noEvents;
  #pastCount = 0;
  #at = 0;
  #held: Held[] = [];
  #eventNumber = 0;
  #breathAt = eventsPerBreath;
  #lastRecordedId = -1;
  #ending: Ending | undefined;
  #divergence: DivergenceError | undefined;
  /** What stopped the replay and is not the code's: it ends the turn, whatever the code did. */
  #fault: { readonly error: unknown } | undefined;
  #customStatus: string | undefined;

  constructor(options: ReplayOptions) {
    this.instanceId = options.instanceId;
    this.executionId = options.executionId;
    this.seed = options.executionId;
    this.workflow = options.workflow.name;
    this.version = options.workflow.version;
    this.log = options.log;
    this.#definition = options.workflow;
  }

  /** Begins a turn: what happened before, and what is new. To be followed by `advance`. */
  begin(past: readonly HistoryEvent[], events: readonly HistoryEvent[]): void {
    this.#isInTurn = true;
    this.#patches.learn(past);
    this.#events = past.length === 0 ? events : [...past, ...events];
    this.#pastCount = past.length;
    this.#at = 0;
  }

  /**
   * Feeds events up to the next one that wakes the code (true); false: there was none, and the turn has
   * ended. To be called again once the code is blocked (`settled`).
   */
  advance(): boolean {
    try {
      while (this.#hasMore()) {
        if (this.#feedNext()) return true;
      }
      this.#isReplaying = false;
    } catch (error) {
      if (error instanceof DivergenceError) this.#divergence ??= error;
      else this.#fault = { error };
    }
    this.#events = noEvents;
    this.#isInTurn = false;
    return false;
  }

  /** Feeds the rest of a turn whose code has just been woken, from within a microtask. */
  async finish(): Promise<void> {
    do {
      await settled();
      if (this.#eventNumber >= this.#breathAt) {
        // Not at each multiple: a workflow whose code is never woken there would not breathe at all.
        this.#breathAt = this.#eventNumber + eventsPerBreath;
        await breathe();
      }
    } while (this.advance());
  }

  /**
   * True when it only sleeps, for long, after little has happened. It is not worth the memory until its next
   * turn: of thousands of sleepers the old generation's garbage would be the larger part of a process.
   */
  get isDormant(): boolean {
    return this.#eventNumber <= briefEvents && this.#ledger.sleepsUntil() > this.#now + napMs;
  }

  get isReplaying(): boolean {
    return this.#isReplaying;
  }

  now(): number {
    return this.#now;
  }

  enter(what: string, name?: string): boolean {
    if (!this.#isInTurn) {
      this.#divergence ??= outsideTurn(this.workflow, what, name);
      throw this.#divergence;
    }
    return this.#ending === undefined;
  }

  ask(ask: Ask): number {
    return this.#ledger.ask(ask);
  }

  drop(id: number): void {
    this.#ledger.drop(id);
  }

  isPatched(patch: string): boolean {
    return this.#patches.decide(patch, this.#isReplaying);
  }

  setCustomStatus(text: string | undefined): void {
    this.#customStatus = text;
  }

  continueAsNew(input: string | undefined, keepEvents: boolean): void {
    this.#end({ kind: "continuedAsNew", id: this.#ledger.nextId, input, keepEvents });
  }

  #hasMore(): boolean {
    return this.#at < this.#events.length || (this.#held.length > 0 && !this.#isSuspended);
  }

  /** What was held back comes before what follows the resumption. */
  #feedNext(): boolean {
    const held = this.#isSuspended ? undefined : this.#held.shift();
    if (held !== undefined) return this.#feed(held.event, held.number);
    const event = this.#events[this.#at];
    if (event === undefined) return false;
    this.#isReplaying = this.#at < this.#pastCount;
    this.#at += 1;
    this.#eventNumber += 1;
    return this.#feed(event, this.#eventNumber);
  }

  /** Takes one event, or holds it back while suspended; true when it woke the code. */
  #feed(event: HistoryEvent, number: number): boolean {
    if (this.#ending?.kind === "terminated") return false;
    const type = event.eventType.case;
    if (this.#isSuspended && type !== "executionResumed" && type !== "executionTerminated") {
      if (type !== "executionSuspended") this.#held.push({ event, number });
      return false;
    }
    this.#hasWoken = false;
    this.#apply(event, number);
    return this.#hasWoken;
  }

  #apply(event: HistoryEvent, number: number): void {
    const { eventType } = event;
    switch (eventType.case) {
      case "workflowStarted":
        if (event.timestamp !== undefined) this.#now = fromTimestamp(event.timestamp);
        break;
      case "executionStarted":
        // That of the history: after a rerun it is the first run's, and so are the values drawn.
        this.seed = eventType.value.workflowInstance?.executionId || this.executionId;
        this.#begin(eventType.value.input);
        break;
      case "taskCompleted":
      case "taskFailed":
        this.#settle("activity", eventType.value.taskScheduledId, event);
        break;
      case "childWorkflowInstanceCompleted":
      case "childWorkflowInstanceFailed":
        this.#settle("child", eventType.value.taskScheduledId, event);
        break;
      case "timerFired":
        this.#settle("timer", eventType.value.timerId, event);
        break;
      case "eventRaised":
        this.#raise(eventType.value.name, event);
        break;
      case "executionSuspended":
        this.#isSuspended = true;
        break;
      case "executionResumed":
        this.#isSuspended = false;
        break;
      case "executionTerminated":
        this.#terminate(eventType.value.input);
        break;
      default:
        this.#record(event, number);
    }
  }

  #begin(input: string | undefined): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#hasWoken = true;
    void this.#execute(input);
  }

  /** Once the code has ended its tasks are void: a late result must not start another attempt. */
  #settle(kind: ResultKind, id: number, event: HistoryEvent): void {
    if (this.#ending !== undefined) return;
    if (this.#ledger.settle(kind, id, event, this.#isReplaying)) this.#hasWoken = true;
  }

  /** Once the code has ended its waits are void: the event goes over to the next execution. */
  #raise(name: string, event: HistoryEvent): void {
    if (this.#ending !== undefined) this.events.keep(name, event);
    else if (this.events.arrive(name, event)) this.#hasWoken = true;
  }

  #record(event: HistoryEvent, number: number): void {
    const step = stepOf(event);
    if (step === undefined) return;
    this.#lastRecordedId = Math.max(this.#lastRecordedId, event.eventId);
    this.#ledger.record(event, step, number);
  }

  /**
   * A completion of the same turn wins; a continue-as-new, or a completion that is held back while
   * suspended, does not (engine semantics 2.5).
   */
  #terminate(output: string | undefined): void {
    const isFinal = this.#ending !== undefined && this.#ending.kind !== "continuedAsNew";
    if (isFinal && !this.#isSuspended) return;
    this.#ending = { kind: "terminated", id: this.#ledger.nextId, output };
  }

  async #execute(input: string | undefined): Promise<void> {
    try {
      const context = new ReplayContext(this);
      // Definitions are kept without their input's type; the caller's types vouch for the input.
      const value = parsePayload(input) as never;
      const output = await runOwned(this, () => this.#definition.run(context, value));
      const id = this.#ledger.nextId;
      this.#end({ kind: "completed", id, output: stringifyPayload(output) });
    } catch (error) {
      this.#end({ kind: "failed", id: this.#ledger.nextId, failure: failureOf(error) });
    }
  }

  /** The first ending counts. */
  #end(ending: Ending): void {
    if (this.#isInTurn) this.#ending ??= ending;
    else this.#divergence ??= outsideTurn(this.workflow, "ended");
  }

  /**
   * What the code asks for, once the turn has ended.
   * @throws what the replay itself failed with
   */
  outcome(): TurnOutcome {
    if (this.#fault !== undefined) throw this.#fault.error;
    this.#ledger.forgetEarlyOfTurn();
    const isTerminated = this.#ending?.kind === "terminated";
    if (this.#divergence === undefined && !this.#isSuspended && this.#isBlockedForever()) {
      this.#divergence = foreignPromise(this.workflow);
    }
    if (this.#divergence !== undefined && !isTerminated) {
      const failure = failureOf(this.#divergence);
      // History may have numbers that this replay did not get to.
      const id = Math.max(this.#ledger.nextId, this.#lastRecordedId + 1);
      return this.#turnOutcome([completionAction({ kind: "failed", id, failure }, [])], true);
    }
    if (this.#isSuspended && !isTerminated) return this.#turnOutcome([], false);
    const ending = this.#ending;
    if (ending === undefined) return this.#turnOutcome(this.#ledger.takeActions(), false);
    const completion = completionAction(ending, this.events.unconsumed());
    const keepsActions = ending.kind === "completed" || ending.kind === "failed";
    const actions = keepsActions ? this.#ledger.takeActions() : [];
    return this.#turnOutcome([...actions, completion], true);
  }

  /** The code has begun and not ended, and no event can come that would wake it. */
  #isBlockedForever(): boolean {
    return this.#hasBegun && this.#ending === undefined && this.#ledger.openCount === 0;
  }

  #turnOutcome(actions: readonly WorkflowAction[], hasEnded: boolean): TurnOutcome {
    const outcome: { -readonly [K in keyof TurnOutcome]: TurnOutcome[K] } = { actions, hasEnded };
    const patches = this.#patches.taken;
    if (patches !== undefined) outcome.patches = patches;
    if (this.version !== undefined) outcome.version = this.version;
    if (this.#customStatus !== undefined) outcome.customStatus = this.#customStatus;
    return outcome;
  }
}
