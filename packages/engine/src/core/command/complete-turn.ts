// SPDX-License-Identifier: Apache-2.0

import {
  type CompleteWorkflowAction,
  type EventRecord,
  OrchestrationStatus,
  StalledReason,
  type WorkflowAction,
} from "@pawl/protocol";
import { type ActionEvents, addAction } from "../action-events.js";
import { resultForParent } from "../child-result.js";
import { continueAsNew } from "../continue-as-new.js";
import { actionRecord, inboundRecord, terminatedCompletion } from "../event.js";
import { boundFailure } from "../limit/failure-limit.js";
import { type HistoryBounds, historyExcess } from "../limit/history-limit.js";
import { excessBytes, failing, limitActions } from "../limit/payload-limit.js";
import { limitPropagation } from "../limit/propagation-limit.js";
import type { Outcome } from "../outcome.js";
import type { InstanceState, Stall } from "../state.js";
import { patchStall, stampVersion, type TurnVersion, versionStall } from "../turn-version.js";
import { terminateChildren } from "./terminate.js";

/** A turn that was handed to a worker, and the worker's answer. */
export interface TurnFacts {
  /** The events that the worker got: workflowStarted, then those taken from the inbox. */
  readonly events: readonly EventRecord[];
  readonly actions: readonly WorkflowAction[];
  readonly customStatus: string | undefined;
  readonly version: TurnVersion | undefined;
  /** Mints ids of executions and traces. */
  readonly createId: () => string;
  /** Bytes of the history before the turn. @default 0 */
  readonly historyBytes?: number;
  /** What the history may have. @default no limit */
  readonly historyLimit?: HistoryBounds;
  /** The history before the turn, where it is needed (`needsHistory`). @default not at hand */
  readonly history?: readonly EventRecord[];
  /** Name of the application, for histories that are handed on. @default none */
  readonly appId?: string;
}

/** What tells a stale answer from others. */
export interface AnswerFacts extends Pick<TurnFacts, "actions" | "version"> {
  /**
   * The events that the worker got, where it was given the whole history as well: it cannot have missed
   * that what it asks for was asked for before. Absent: it has kept some of the history itself.
   */
  readonly informedBy?: readonly EventRecord[];
}

/**
 * True when the answer asks again for what history already records (engine semantics 5.5). The ids
 * of ends say nothing: a worker that gives up early in a replay counts on from there. One that lacks
 * history's patches takes other steps: it stalls the instance (10.3). Retries are no repetition, though
 * some SDKs give them the number of the first try: those of Microsoft's for Python, and of Dapr's up to 1.16.
 */
export function isStaleTurn(state: InstanceState, answer: AnswerFacts): boolean {
  const { version, informedBy } = answer;
  const mayRetry = informedBy?.some(({ event }) => event.eventType.case === "timerFired") === true;
  const actions = mayRetry
    ? answer.actions.filter((action) => !isRetry(state, action))
    : answer.actions;
  const completion = findCompletion(actions, undefined);
  if (completion !== undefined && isContinuation(completion.action)) return false;
  if (patchStall(state, version) !== undefined) return false;
  return actions.some((action) => isRecorded(action) && state.fold.actionIds.has(action.id));
}

/** True for an action that asks again for a task or child that failed. */
function isRetry({ fold }: InstanceState, { id, workflowActionType }: WorkflowAction): boolean {
  const { case: kind } = workflowActionType;
  const before = fold.children.has(id) ? "createChildWorkflow" : "scheduleTask";
  return fold.failed.has(id) && kind === before;
}

/** True for an action that leaves an event of its own id in history, and does not end the instance. */
function isRecorded({ workflowActionType: { case: kind } }: WorkflowAction): boolean {
  switch (kind) {
    case "completeWorkflow":
    case "terminateWorkflow":
    case "workflowVersionNotAvailable":
      return false;
    default:
      return true;
  }
}

/**
 * Carries a turn out: its events and the events of its actions go into history in one commit
 * (engine semantics 1.3, 3.3, 4).
 */
export function completeTurn(state: InstanceState, facts: TurnFacts, now: number): Outcome {
  const started = facts.events[0];
  const taken = facts.events.slice(1);
  if (started === undefined) throw new Error("a turn without events");
  const terminate = findTerminate(taken);
  const stalled = stallOf(state, facts.actions);
  if (stalled !== undefined) return stallTurn(state, stalled, now);
  const { historyBytes = 0, history = [], appId = "", events } = facts;
  const limited = limitActions(facts.actions, facts.customStatus);
  const actions = limitPropagation(state, { historyBytes, events }, limited);
  // Actions that cannot be carried out are no end that could come before a terminate.
  const isRefused = actions !== facts.actions && terminate !== undefined;
  const completion = isRefused ? undefined : findCompletion(actions, terminate);
  const customStatus =
    excessBytes(facts.customStatus) === undefined ? facts.customStatus : undefined;
  const mismatch = patchStall(state, facts.version);
  if (mismatch !== undefined) return stallTurn(state, mismatch, now);
  if (completion !== undefined && isContinuation(completion.action)) {
    const { value } = completion;
    const last = { taken, customStatus, events: [...history, ...events], appId };
    return continueAsNew(state, last, value, facts.createId, now);
  }
  const appended: EventRecord[] = [stampVersion(started, state, facts.version), ...taken];
  const into: ActionEvents = { appended, messages: [] };
  const forced = completion === undefined && terminate !== undefined;
  const ending = completion !== undefined || forced;
  if (!forced) {
    const context = { state, now, createId: facts.createId, history, appId };
    for (const action of actions) {
      if (action === completion?.action) appended.push(completionRecord(completion, now));
      else addAction(into, action, context);
    }
  } else {
    appended.push(terminatedCompletion(now, terminate.output));
  }
  const excess = ending ? undefined : historyExcess(state, facts, appended.length);
  if (excess !== undefined) {
    const { historyLimit: _, ...unlimited } = facts;
    return completeTurn(state, { ...unlimited, actions: [failing(facts.actions, excess)] }, now);
  }
  const end = ending && appended.find((r) => r.event.eventType.case === "executionCompleted");
  if (end) into.messages.push(...resultForParent(state, end, now));
  if (terminate?.recursive === true) {
    into.messages.push(...terminateChildren(state, terminate.output, now, appended));
  }
  return {
    accepted: [],
    turn: { consumed: taken.length, appended, customStatus },
    messages: into.messages,
  };
}

/**
 * The stall that a worker asks for. Java's and .NET's workers ask by a completion that is "stalled",
 * .NET's for patches, with its reason as the completion's details.
 */
function stallOf(state: InstanceState, actions: readonly WorkflowAction[]): Stall | undefined {
  for (const { workflowActionType: type } of actions) {
    if (type.case === "workflowVersionNotAvailable") return versionStall(state);
    if (type.case !== "completeWorkflow") continue;
    const { workflowStatus, details } = type.value;
    if (workflowStatus !== OrchestrationStatus.STALLED) continue;
    if (details === undefined || details === "") return versionStall(state);
    return { reason: "PATCH_MISMATCH", description: details };
  }
  return undefined;
}

/**
 * Keeps the inbox and records why the instance cannot go on, once per description in a row
 * (engine semantics 10.3).
 */
export function stallTurn(state: InstanceState, stall: Stall, now: number): Outcome {
  const repeated = state.fold.stall?.description === stall.description;
  const record = inboundRecord(now, {
    case: "executionStalled",
    value: { reason: StalledReason[stall.reason], description: stall.description },
  });
  const appended = repeated ? [] : [record];
  return {
    accepted: [],
    turn: { consumed: 0, appended, customStatus: state.customStatus },
    messages: [],
    stall,
  };
}

interface TerminateRequest {
  readonly output: string | undefined;
  readonly recursive: boolean;
}

function findTerminate(events: readonly EventRecord[]): TerminateRequest | undefined {
  for (const record of events) {
    const { eventType } = record.event;
    if (eventType.case === "executionTerminated") {
      return { output: eventType.value.input, recursive: eventType.value.recurse };
    }
  }
  return undefined;
}

interface Completion {
  readonly action: WorkflowAction;
  readonly value: CompleteWorkflowAction;
}

/** The first completion counts; with a terminate in the turn, continue-as-new does not (2.5.3). */
function findCompletion(
  actions: readonly WorkflowAction[],
  terminate: TerminateRequest | undefined,
): Completion | undefined {
  for (const action of actions) {
    const { workflowActionType: type } = action;
    if (type.case !== "completeWorkflow") continue;
    if (terminate === undefined || !isContinuation(action)) return { action, value: type.value };
  }
  return undefined;
}

function isContinuation(action: WorkflowAction): boolean {
  const { workflowActionType: type } = action;
  return (
    type.case === "completeWorkflow" &&
    type.value.workflowStatus === OrchestrationStatus.CONTINUED_AS_NEW
  );
}

function completionRecord({ action, value }: Completion, now: number): EventRecord {
  const { workflowStatus, result, failureDetails } = value;
  return actionRecord(action.id, now, {
    case: "executionCompleted",
    value: {
      workflowStatus,
      result,
      failureDetails: failureDetails && boundFailure(failureDetails),
    },
  });
}
