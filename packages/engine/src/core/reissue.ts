// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import {
  type ChildWorkflowInstanceCreatedEvent,
  EventRecord,
  HistoryEventSchema,
  RerunParentInstanceInfoSchema,
  type TaskScheduledEvent,
  type TraceContext,
} from "@pawl/protocol";
import { childStart, defaultChildId } from "./action-events.js";
import { actionRecord, optional } from "./event.js";
import type { Message } from "./outcome.js";
import { propagate } from "./propagation.js";
import { spanIdOf } from "./trace/trace-id.js";

/** The new instance in whose history events of another one are used again. */
export interface Reissue {
  readonly instanceId: string;
  readonly executionId: string;
  readonly workflow: string;
  /** The instance whose history it is. */
  readonly sourceId: string;
  /** What its activities and children go on with. */
  readonly trace: TraceContext | undefined;
  /** It has a span of its own. */
  readonly hasSpan: boolean;
  /** Mints an execution id. */
  readonly createId: () => string;
  /** Name of the application, for histories that are handed on. */
  readonly appId: string;
  /** What it may see of the histories above it. */
  readonly propagated: Uint8Array | undefined;
}

/** What is to be different. */
export interface ReissueChanges {
  /** Present: this input, or none, in place of the one it had. */
  readonly replaceInput?: { readonly input?: string } | undefined;
  /** Id of the child. */
  readonly childInstanceId?: string | undefined;
}

/** An event that was done again, and for a child the message that starts it. */
export interface Reissued {
  readonly record: EventRecord;
  readonly message?: Message;
}

/** True for the scheduling of an activity, timer or child. */
export function isReissuable({ event }: EventRecord): boolean {
  const { case: kind } = event.eventType;
  return (
    kind === "taskScheduled" || kind === "timerCreated" || kind === "childWorkflowInstanceCreated"
  );
}

/**
 * The event as it is in the new history: the start names the new instance. It keeps the execution id,
 * which workers take for the seed of what they draw at random: a replay gives what it gave.
 */
export function restart(
  record: EventRecord,
  { instanceId, executionId: ownId }: Pick<Reissue, "instanceId" | "executionId">,
): EventRecord {
  const { eventId, timestamp, eventType } = record.event;
  if (eventType.case !== "executionStarted") return record;
  const { scheduledStartTimestamp: _, workflowSpanID, ...started } = eventType.value;
  const { executionId } = started.workflowInstance ?? {};
  const value = {
    ...started,
    workflowInstance: { instanceId, ...optional("executionId", executionId) },
    // Two spans may not share an id.
    ...(workflowSpanID === undefined ? {} : { workflowSpanID: spanIdOf(ownId) }),
  };
  return EventRecord.of(
    create(HistoryEventSchema, {
      eventId,
      ...(timestamp === undefined ? {} : { timestamp }),
      eventType: { case: "executionStarted", value: withoutType(value) },
    }),
  );
}

/**
 * Schedules an activity, timer or child again, now (engine semantics 11.3). A child gets an id of
 * the new instance's, unless one is given. `before`: the events of the new history so far.
 */
export function reissue(
  record: EventRecord,
  as: Reissue,
  changes: ReissueChanges,
  before: readonly EventRecord[],
  now: number,
): Reissued {
  const { eventId, eventType } = record.event;
  const rerunParentInstanceInfo = create(RerunParentInstanceInfoSchema, {
    instanceID: as.sourceId,
  });
  const trace = optional("parentTraceContext", as.trace);
  switch (eventType.case) {
    case "taskScheduled": {
      const value = { ...withInput(eventType.value, changes), ...trace, rerunParentInstanceInfo };
      return { record: actionRecord(eventId, now, { case: "taskScheduled", value }) };
    }
    case "timerCreated": {
      const value = { ...withoutType(eventType.value), rerunParentInstanceInfo };
      return { record: actionRecord(eventId, now, { case: "timerCreated", value }) };
    }
    case "childWorkflowInstanceCreated": {
      const instanceId = changes.childInstanceId ?? defaultChildId(as.instanceId, eventId);
      const created = withInput(eventType.value, changes);
      const value = { ...created, ...trace, instanceId, rerunParentInstanceInfo };
      const { name, input, historyPropagationScope: scope } = created;
      const again = actionRecord(eventId, now, { case: "childWorkflowInstanceCreated", value });
      const propagated = propagate(as, scope, [...before, again]);
      const child = { taskId: eventId, instanceId, name, input, propagated };
      return { record: again, message: childStart(as, child, now) };
    }
    default:
      throw new Error(`event ${eventId} cannot be scheduled again`);
  }
}

function withInput<T extends TaskScheduledEvent | ChildWorkflowInstanceCreatedEvent>(
  scheduled: T,
  { replaceInput }: ReissueChanges,
): Omit<T, "$typeName"> {
  const value = withoutType(scheduled);
  if (replaceInput === undefined) return value;
  const { input: _, ...rest } = value;
  // What it had, but for the input.
  return { ...rest, ...optional("input", replaceInput.input) } as Omit<T, "$typeName">;
}

/** The fields of a message, to make another one of. */
function withoutType<T extends { readonly $typeName: string }>(message: T): Omit<T, "$typeName"> {
  const { $typeName: _, ...fields } = message;
  return fields;
}
