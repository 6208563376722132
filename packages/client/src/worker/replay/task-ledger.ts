// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent, WorkflowAction } from "@pawl/protocol";
import { divergenceAt, isSameStep, type Step } from "./divergence.js";
import { TaskMap } from "./task-map.js";

/** The oneof of an action. */
export type ActionType = WorkflowAction["workflowActionType"];

/** One thing that the code asked for. */
export interface Ask {
  readonly step: Step;
  /** Told of the number that it gets, before it is asked for anything else. */
  readonly begin?: (id: number) => void;
  /** Makes the action; called at most once, and not at all where history has it already. */
  readonly action: () => ActionType;
  /** Told of the history event that records the action. */
  readonly recorded?: (event: HistoryEvent) => void;
  /** False when a result with this task's number belongs to another execution. */
  readonly accepts?: (event: HistoryEvent) => boolean;
  /** Told of the result. Absent: there is none to come. */
  readonly result?: (event: HistoryEvent) => void;
  /** The instant before which there is no result. Absent: it may come at any time. */
  readonly notBefore?: number;
}

/** What kinds of task have results. */
export type ResultKind = "activity" | "child" | "timer";

/**
 * What one execution has asked for: numbers it, matches it with history, routes the results.
 * Rules: engine semantics 5.1, 5.6, 5.9, 15.2.
 */
export class TaskLedger {
  #nextId = 0;
  /** Asked for, and neither recorded in history nor handed out as an action. */
  readonly #unrecorded = new TaskMap<Ask>();
  /** Waiting for a result. */
  readonly #open = new TaskMap<Ask>();
  /** Results that came before the code asked, by kind and number. */
  #early: Map<string, { event: HistoryEvent; isPast: boolean }> | undefined;
  /** Settled before they were recorded: their action is never handed out. */
  #suppressed: Set<number> | undefined;

  /** The number that the next task gets. */
  get nextId(): number {
    return this.#nextId;
  }

  /** How many tasks wait for a result. */
  get openCount(): number {
    return this.#open.size;
  }

  /** The instant before which no task that is waited for has a result; 0 when one may come at any time. */
  sleepsUntil(): number {
    if (this.#open.size === 0) return 0;
    return this.#open.map(earliestResultOf).reduce(earlier);
  }

  /** Takes what the code asks for; gives the task's number. */
  ask(ask: Ask): number {
    const id = this.#nextId;
    this.#nextId += 1;
    ask.begin?.(id);
    const early = this.#takeEarly(id, ask);
    if (early !== undefined) {
      this.#suppress(id);
      ask.result?.(early);
      return id;
    }
    this.#unrecorded.set(id, ask);
    if (ask.result !== undefined) this.#open.set(id, ask);
    return id;
  }

  /** Gives up a task: its result is ignored, and its action dropped unless it was handed out. */
  drop(id: number): void {
    this.#open.delete(id);
    if (this.#unrecorded.delete(id)) this.#suppress(id);
  }

  /**
   * Matches an action of the history with what the code asked for.
   * @throws DivergenceError when they differ
   */
  record(event: HistoryEvent, step: Step, eventNumber: number): void {
    const id = event.eventId;
    const ask = this.#unrecorded.get(id);
    if (ask === undefined && this.#suppressed?.delete(id)) return;
    if (ask === undefined || !isSameStep(step, ask.step)) {
      throw divergenceAt(eventNumber, id, step, ask?.step);
    }
    this.#unrecorded.delete(id);
    ask.recorded?.(event);
  }

  /**
   * Hands a result to the task that waits for it; true when one did. A second result of a task is
   * ignored; one that comes before the code asked is kept.
   */
  settle(kind: ResultKind, id: number, event: HistoryEvent, isPast: boolean): boolean {
    const ask = this.#open.get(id);
    if (ask === undefined) {
      const key = `${kind}:${id}`;
      if (id < this.#nextId || this.#early?.has(key)) return false;
      this.#early ??= new Map();
      this.#early.set(key, { event, isPast });
      return false;
    }
    if (ask.step.kind !== kind || ask.accepts?.(event) === false) return false;
    this.drop(id);
    ask.result?.(event);
    return true;
  }

  /** The actions that history does not have yet, in the order of their numbers. */
  takeActions(): WorkflowAction[] {
    const actions = this.#unrecorded.map(actionOf);
    this.#unrecorded.clear();
    return actions;
  }

  /** The engine strips results that nobody asked for in their turn; so they are forgotten here. */
  forgetEarlyOfTurn(): void {
    if (this.#early === undefined) return;
    for (const [key, early] of this.#early) {
      if (!early.isPast) this.#early.delete(key);
    }
  }

  #suppress(id: number): void {
    this.#suppressed ??= new Set();
    this.#suppressed.add(id);
  }

  #takeEarly(id: number, ask: Ask): HistoryEvent | undefined {
    if (this.#early === undefined || ask.result === undefined) return undefined;
    const key = `${ask.step.kind}:${id}`;
    const early = this.#early.get(key);
    if (early !== undefined) this.#early.delete(key);
    return early?.event;
  }
}

function actionOf(ask: Ask, id: number): WorkflowAction {
  return { $typeName: "WorkflowAction", id, workflowActionType: ask.action() };
}

function earliestResultOf({ notBefore = 0 }: Ask): number {
  return notBefore;
}

function earlier(left: number, right: number): number {
  return Math.min(left, right);
}
