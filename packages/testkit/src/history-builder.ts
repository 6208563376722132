// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import {
  type HistoryEvent,
  type HistoryEventType,
  historyEvent,
  TaskFailureDetailsSchema,
  TimerOriginCreateTimerSchema,
  TimerOriginExternalEventSchema,
  toTimestamp,
} from "@pawl/protocol";

/**
 * Builds the history of one execution by hand. Values are given as they are and stored as JSON.
 * What records an action returns the task's number, for its result.
 */
export class HistoryBuilder {
  readonly #events: HistoryEvent[] = [];
  #now: number;
  #nextId = 0;

  /** Begins with the first turn of a workflow, at an instant in milliseconds since 1970. */
  constructor(workflow: string, input?: unknown, startAt = Date.UTC(2030, 0, 1)) {
    this.#now = startAt;
    this.turn(0);
    this.#add({ case: "executionStarted", value: { name: workflow, ...json("input", input) } });
  }

  /** The events so far, oldest first. */
  build(): HistoryEvent[] {
    return [...this.#events];
  }

  /** Begins the next turn, this many milliseconds after the last one. */
  turn(afterMs = 1): void {
    this.#now += afterMs;
    this.#add({ case: "workflowStarted", value: {} });
  }

  /** An activity was scheduled. */
  activityScheduled(name: string, input?: unknown): number {
    return this.#addAction({ case: "taskScheduled", value: { name, ...json("input", input) } });
  }

  /** An activity returned. */
  activityCompleted(taskScheduledId: number, output?: unknown): void {
    this.#add({ case: "taskCompleted", value: { taskScheduledId, ...json("result", output) } });
  }

  /** An activity threw. */
  activityFailed(taskScheduledId: number, errorType: string, errorMessage = ""): void {
    const failureDetails = create(TaskFailureDetailsSchema, { errorType, errorMessage });
    this.#add({ case: "taskFailed", value: { taskScheduledId, failureDetails } });
  }

  /** A child workflow was started. */
  childCreated(name: string, instanceId: string, input?: unknown): number {
    return this.#addAction({
      case: "childWorkflowInstanceCreated",
      value: { name, instanceId, ...json("input", input) },
    });
  }

  /** A child workflow returned. */
  childCompleted(taskScheduledId: number, output?: unknown): void {
    this.#add({
      case: "childWorkflowInstanceCompleted",
      value: { taskScheduledId, ...json("result", output) },
    });
  }

  /** A timer of `sleep` was set, this many milliseconds from the present turn. */
  timerCreated(afterMs: number, name?: string): number {
    return this.#addAction({
      case: "timerCreated",
      value: {
        fireAt: toTimestamp(this.#now + afterMs),
        ...(name === undefined ? {} : { name }),
        origin: { case: "createTimer", value: create(TimerOriginCreateTimerSchema) },
      },
    });
  }

  /** A wait for an event began, with a timeout in milliseconds from the present turn. */
  eventAwaited(name: string, timeoutMs: number): number {
    return this.#addAction({
      case: "timerCreated",
      value: {
        fireAt: toTimestamp(this.#now + timeoutMs),
        origin: { case: "externalEvent", value: create(TimerOriginExternalEventSchema, { name }) },
      },
    });
  }

  /** A timer fired. */
  timerFired(timerId: number): void {
    this.#add({ case: "timerFired", value: { timerId, fireAt: toTimestamp(this.#now) } });
  }

  /** An external event came. */
  eventRaised(name: string, payload?: unknown): void {
    this.#add({ case: "eventRaised", value: { name, ...json("input", payload) } });
  }

  #addAction(eventType: HistoryEventType): number {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#events.push(historyEvent(id, this.#now, eventType));
    return id;
  }

  #add(eventType: HistoryEventType): void {
    this.#events.push(historyEvent(-1, this.#now, eventType));
  }
}

/** A field with a value's JSON text; none when the value is undefined. */
function json<K extends string>(field: K, value: unknown): { [key in K]?: string } {
  const text = JSON.stringify(value);
  // A computed key widens to string; there is only this one.
  return (text === undefined ? {} : { [field]: text }) as { [key in K]?: string };
}
