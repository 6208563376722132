// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent, TimerCreatedEvent } from "@pawl/protocol";
import { DivergenceError } from "../../errors.js";

/** Why a timer exists. */
export type TimerOrigin = "sleep" | "event" | "activityRetry" | "childRetry";

/** One thing that a workflow's code asks for, and that history records. */
export type Step =
  | { readonly kind: "activity"; readonly name: string }
  | { readonly kind: "child"; readonly name: string; readonly instanceId: string }
  | { readonly kind: "timer"; readonly name: string; readonly origin: TimerOrigin | undefined }
  | { readonly kind: "sentEvent"; readonly name: string; readonly instanceId: string };

/** What history has at this event; `undefined` when the event records no action. */
export function stepOf(event: HistoryEvent): Step | undefined {
  const { eventType } = event;
  switch (eventType.case) {
    case "taskScheduled":
      return { kind: "activity", name: eventType.value.name };
    case "childWorkflowInstanceCreated":
      return {
        kind: "child",
        name: eventType.value.name,
        instanceId: eventType.value.instanceId,
      };
    case "eventSent":
      return {
        kind: "sentEvent",
        name: eventType.value.name,
        instanceId: eventType.value.instanceId,
      };
    case "timerCreated":
      return timerStepOf(eventType.value);
    default:
      return undefined;
  }
}

function timerStepOf(timer: TimerCreatedEvent): Step {
  const name = timer.name ?? "";
  switch (timer.origin.case) {
    case "externalEvent":
      return { kind: "timer", origin: "event", name: timer.origin.value.name };
    case "activityRetry":
      return { kind: "timer", origin: "activityRetry", name };
    case "childWorkflowRetry":
      return { kind: "timer", origin: "childRetry", name };
    case "createTimer":
      return { kind: "timer", origin: "sleep", name };
    case undefined:
      return { kind: "timer", origin: undefined, name };
  }
}

/**
 * True when the code asked for what history has. Names that history may leave out (a timer's, a
 * child's id) are compared only where both sides have one.
 */
export function isSameStep(recorded: Step, asked: Step): boolean {
  if (recorded.kind === "timer" && asked.kind === "timer") return isSameTimer(recorded, asked);
  if (recorded.kind !== asked.kind || recorded.name !== asked.name) return false;
  if (recorded.kind === "child" && asked.kind === "child") {
    return recorded.instanceId === "" || recorded.instanceId === asked.instanceId;
  }
  if (recorded.kind === "sentEvent" && asked.kind === "sentEvent") {
    return recorded.instanceId === asked.instanceId;
  }
  return true;
}

function isSameTimer(
  recorded: Extract<Step, { kind: "timer" }>,
  asked: Extract<Step, { kind: "timer" }>,
): boolean {
  if (recorded.origin !== undefined && recorded.origin !== asked.origin) return false;
  if (recorded.name === "" || asked.name === "") return true;
  return recorded.name.toLowerCase() === asked.name.toLowerCase();
}

/** Says in words what a step is. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case "activity":
      return `activity "${step.name}"`;
    case "child":
      return `child workflow "${step.name}"`;
    case "sentEvent":
      return `event "${step.name}" to instance "${step.instanceId}"`;
    case "timer":
      return describeTimer(step);
  }
}

function describeTimer(step: Extract<Step, { kind: "timer" }>): string {
  switch (step.origin) {
    case "event":
      return `wait for event "${step.name}"`;
    case "activityRetry":
      return `retry timer of activity "${step.name}"`;
    case "childRetry":
      return `retry timer of child workflow "${step.name}"`;
    default:
      return step.name === "" ? "timer" : `timer "${step.name}"`;
  }
}

/**
 * The error for a replay that leaves its history.
 * @param eventNumber position of the event in the history, from 1
 */
export function divergenceAt(
  eventNumber: number,
  taskId: number,
  recorded: Step,
  asked: Step | undefined,
): DivergenceError {
  const replay = asked === undefined ? "nothing" : describeStep(asked);
  return new DivergenceError(
    `event ${eventNumber} (task ${taskId}): history has ${describeStep(recorded)}; ` +
      `this replay asked for ${replay}`,
  );
}

/** The error for code that waits for something that no history event will bring. */
export function foreignPromise(workflow: string): DivergenceError {
  return new DivergenceError(
    `workflow "${workflow}" awaits a promise that is not its context's: it is blocked, ` +
      "and no activity, child, timer or event is pending",
  );
}

/** The error for code that went on after its turn. */
export function outsideTurn(workflow: string, what: string, name?: string): DivergenceError {
  const all = name === undefined ? what : `${what} "${name}"`;
  return new DivergenceError(
    `workflow "${workflow}" ${all} outside a turn: it awaited a promise that is not its context's`,
  );
}
