// SPDX-License-Identifier: Apache-2.0

import type { EventRecord, ExecutionStartedEvent, HistoryEvent } from "@pawl/protocol";
import { EngineError } from "../../errors.js";
import { applyEvent } from "../apply-event.js";
import { inboundRecord } from "../event.js";
import { instanceIdFault } from "../instance-id.js";
import type { Outcome } from "../outcome.js";
import { isReissuable, type Reissue, reissue, restart } from "../reissue.js";
import { emptyFold, type HistoryFold, type InstanceState } from "../state.js";
import { workflowTrace } from "../trace/trace-context.js";

/** The instance whose run is repeated from an event on. */
export interface RerunSource {
  readonly instanceId: string;
  readonly workflow: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly hasEnded: boolean;
  readonly isChild: boolean;
  /** Its whole history. */
  readonly history: readonly EventRecord[];
}

/** What a rerun asks for. Ids are minted by the caller. */
export interface RerunFacts {
  /** The new instance, and its execution. */
  readonly instanceId: string;
  readonly executionId: string;
  /** The event to begin with: the id of an activity's, child's or timer's scheduling. */
  readonly eventId: number;
  /** Present: the activity or child gets this input, or none, in place of the one it had. */
  readonly replaceInput: { readonly input?: string } | undefined;
  /** Id of the child, when the event is a child's. */
  readonly childInstanceId: string | undefined;
  /** Mints an execution id. */
  readonly createId: () => string;
  /** Name of the application, for histories that are handed on. */
  readonly appId: string;
}

/**
 * Starts a new instance with the history of an ended one up to an event, which is done again
 * (engine semantics 11). What was open at that point is done again, too; what came after it comes as
 * the code asks for it. `state` is that of the new id.
 * @throws INSTANCE_EXISTS, INSTANCE_NOT_ENDED, EVENT_NOT_FOUND, INVALID_ARGUMENT
 */
export function rerun(
  state: InstanceState | undefined,
  source: RerunSource,
  facts: RerunFacts,
  now: number,
): Outcome {
  const target = requireTarget(source, facts);
  const { instanceId, executionId } = facts;
  if (state !== undefined) {
    throw new EngineError("INSTANCE_EXISTS", `workflow '${instanceId}' has already been created`, {
      details: { instanceId },
    });
  }
  const at = source.history.indexOf(target);
  const past = source.history.slice(0, at).filter((record) => !isEnd(record));
  const fold = foldOf(past);
  const open = past.filter((record) => isOpen(fold, past, record));
  const kept = past.filter((record) => !open.includes(record));
  const appended = kept.map((record) => restart(record, facts));
  const started = startIn(appended);
  const as: Reissue = {
    instanceId,
    executionId,
    workflow: source.workflow,
    sourceId: source.instanceId,
    trace: started && workflowTrace(started),
    hasSpan: started?.workflowSpanID !== undefined,
    createId: facts.createId,
    appId: facts.appId,
    // Only children are given any, and a child is no source.
    propagated: undefined,
  };
  const messages: Outcome["messages"][number][] = [];
  for (const record of [...open, target]) {
    const changes = record === target ? facts : {};
    const again = reissue(record, as, changes, appended, now);
    appended.push(again.record);
    if (again.message !== undefined) messages.push(again.message);
  }
  return {
    beginning: {
      instanceId,
      generation: 1,
      workflow: source.workflow,
      executionId,
      createdAt: now,
      startAt: 0,
      parent: undefined,
      tags: source.tags,
      continued: false,
    },
    accepted: needsTurn(source.history.slice(at + 1), fold) ? [wakeUp(source, facts, now)] : [],
    turn: { consumed: 0, appended, customStatus: undefined },
    messages,
  };
}

/** @throws INSTANCE_NOT_ENDED, EVENT_NOT_FOUND, INVALID_ARGUMENT */
function requireTarget(source: RerunSource, facts: RerunFacts): EventRecord {
  const { instanceId } = source;
  const { eventId } = facts;
  const details = { instanceId, eventId: String(eventId) };
  if (facts.instanceId === instanceId)
    throw invalid("newInstanceId", "a rerun needs an id of its own");
  if (!source.hasEnded) {
    throw new EngineError("INSTANCE_NOT_ENDED", `'${instanceId}' is not in a terminal state`, {
      details,
    });
  }
  if (source.isChild) {
    throw invalid("instanceId", `'${instanceId}': cannot rerun from child-workflows`);
  }
  const target = source.history.find(({ event }) => event.eventId === eventId);
  if (target === undefined) {
    const text = `'${instanceId}' does not have history event with ID '${eventId}'`;
    throw new EngineError("EVENT_NOT_FOUND", text, { details });
  }
  const { case: kind } = target.event.eventType;
  if (kind === "detachedWorkflowInstanceCreated") {
    throw invalid("eventId", "a detached workflow cannot be rerun from: start it by itself");
  }
  if (!isReissuable(target)) {
    const text = `'${instanceId}' target event '${kind}' with ID '${eventId}' is not an event that can be rerun`;
    throw new EngineError("EVENT_NOT_FOUND", text, { details });
  }
  if (kind === "timerCreated" && facts.replaceInput !== undefined) {
    throw invalid("input", `event '${eventId}' is a timer, which has no input`);
  }
  if (facts.childInstanceId !== undefined) requireChildId(facts.childInstanceId, kind, eventId);
  return target;
}

function requireChildId(childId: string, kind: string | undefined, eventId: number): void {
  const field = "newChildInstanceId";
  if (kind !== "childWorkflowInstanceCreated") {
    throw invalid(field, `event '${eventId}' starts no child workflow that could have an id`);
  }
  const fault = instanceIdFault(childId);
  if (fault !== undefined) throw invalid(field, fault);
}

function invalid(field: string, message: string): EngineError {
  return new EngineError("INVALID_ARGUMENT", message, { details: { field } });
}

function isEnd({ event }: EventRecord): boolean {
  return event.eventType.case === "executionCompleted";
}

function foldOf(records: readonly EventRecord[]): HistoryFold {
  const fold = emptyFold();
  for (const record of records) applyEvent(fold, record);
  return fold;
}

/** True for the scheduling of what had no result by then. Of several tries under one number, the last. */
function isOpen(fold: HistoryFold, past: readonly EventRecord[], record: EventRecord): boolean {
  const { event } = record;
  switch (event.eventType.case) {
    case "taskScheduled":
      return fold.tasks.get(event.eventId)?.record === record;
    case "timerCreated":
      return fold.timers.has(event.eventId);
    case "childWorkflowInstanceCreated":
      return fold.children.get(event.eventId)?.open === true && record === lastTry(past, event);
    default:
      return false;
  }
}

function lastTry(past: readonly EventRecord[], { eventId }: HistoryEvent): EventRecord | undefined {
  return past.findLast(({ event }) => event.eventId === eventId);
}

function startIn(records: readonly EventRecord[]): ExecutionStartedEvent | undefined {
  const types = records.map(({ event }) => event.eventType);
  return types.find((type) => type.case === "executionStarted")?.value;
}

/**
 * True when the code has to run at once, before the first result: it asked for more in the turn of
 * the event, which is not in the new history, or it was suspended.
 */
function needsTurn(after: readonly EventRecord[], fold: HistoryFold): boolean {
  const next = after.findIndex(({ event }) => event.eventType.case === "workflowStarted");
  const sameTurn = next === -1 ? after : after.slice(0, next);
  return fold.suspended || sameTurn.some((record) => !isEnd(record));
}

/** What brings a turn about, and says in history where it comes from. */
function wakeUp(source: RerunSource, { eventId }: RerunFacts, now: number): EventRecord {
  const input = `rerun of '${source.instanceId}' from event ${eventId}`;
  return inboundRecord(now, { case: "executionResumed", value: { input } });
}
