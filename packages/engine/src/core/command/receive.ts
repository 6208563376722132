// SPDX-License-Identifier: Apache-2.0

import type { EventRecord, ExecutionStartedEvent } from "@pawl/protocol";
import { fromTimestamp } from "@pawl/protocol";
import { childRefused } from "../child-result.js";
import { type Message, nothing, type Outcome } from "../outcome.js";
import { isWanted } from "../resolution-key.js";
import type { InstanceState, ParentLink } from "../state.js";
import { hasEnded } from "../status.js";
import { beginningOf, refusal } from "./start.js";
import { terminate } from "./terminate.js";

/**
 * Takes a message from another instance: the start of a child or detached workflow, a child's
 * result, a terminate, an event. `state` is undefined when the target does not exist. What cannot
 * be taken is dropped, but the start of a child on an occupied id fails the parent's task.
 * `activeChild`: an instance below the target that has not ended.
 */
export function receive(
  state: InstanceState | undefined,
  message: Message,
  now: number,
  activeChild?: string,
): Outcome {
  const { eventType } = message.record.event;
  if (eventType.case === "executionStarted") {
    return receiveStart(state, message, eventType.value, now, activeChild);
  }
  if (state === undefined || isForAnother(state, message)) return nothing;
  if (eventType.case === "executionTerminated") {
    const { input, recurse } = eventType.value;
    return hasEnded(state)
      ? terminate(state, { output: input, recursive: recurse }, now)
      : { accepted: [message.record], messages: [] };
  }
  if (hasEnded(state) || !isWanted(state, message.record.event)) return nothing;
  return { accepted: [message.record], messages: [] };
}

/**
 * The message that takes the place of the start of a child that cannot be taken at all: it fails the
 * parent's task. Undefined: nobody waits for what the message would do.
 */
export function refuseStart({ record }: Message, reason: string, now: number): Message | undefined {
  const { eventType } = record.event;
  if (eventType.case !== "executionStarted") return undefined;
  return refusalFor(parentLinkOf(eventType.value), reason, now)[0];
}

/** The workflow whose start came to nothing, where there is no parent to hear of it. */
export function droppedStart({ record }: Message, outcome: Outcome): string | undefined {
  const { eventType } = record.event;
  if (eventType.case !== "executionStarted" || outcome === nothing) return undefined;
  const isDropped = outcome.beginning === undefined && outcome.messages.length === 0;
  return isDropped ? eventType.value.name : undefined;
}

function isForAnother(state: InstanceState, message: Message): boolean {
  const { targetExecutionId, record } = message;
  if (targetExecutionId === undefined) return false;
  const isTerminate = record.event.eventType.case === "executionTerminated";
  const executionId = isTerminate ? state.parent?.executionId : state.executionId;
  return targetExecutionId !== executionId;
}

function receiveStart(
  state: InstanceState | undefined,
  message: Message,
  started: ExecutionStartedEvent,
  now: number,
  activeChild: string | undefined,
): Outcome {
  const parent = parentLinkOf(started);
  if (state !== undefined && isSameStart(state, started)) return nothing;
  const reason = refusal(state, message.targetId, activeChild);
  if (reason !== undefined) {
    return { accepted: [], messages: refusalFor(parent, reason, now) };
  }
  const beginning = beginningOf(
    state,
    {
      instanceId: message.targetId,
      workflow: started.name,
      executionId: started.workflowInstance?.executionId ?? "",
      startAt: startOf(started),
      tags: started.tags,
    },
    parent,
    now,
    message.propagated,
  );
  return { beginning, accepted: [message.record], messages: [] };
}

/** An instant that can be stored, whatever the worker gave: one of the past is now. */
function startOf({ scheduledStartTimestamp: at }: ExecutionStartedEvent): number {
  return at === undefined ? 0 : Math.min(Math.max(fromTimestamp(at), 0), Number.MAX_SAFE_INTEGER);
}

/** True when this very start was taken before: a message that was delivered twice. */
function isSameStart(state: InstanceState, started: ExecutionStartedEvent): boolean {
  return state.executionId === started.workflowInstance?.executionId;
}

function refusalFor(parent: ParentLink | undefined, reason: string, now: number): Message[] {
  if (parent === undefined) return [];
  const record: EventRecord = childRefused(parent.taskId, reason, now);
  return [{ targetId: parent.instanceId, targetExecutionId: parent.executionId, record }];
}

/** Whose child the workflow of a start is. */
export function parentLinkOf(started: ExecutionStartedEvent): ParentLink | undefined {
  const { parentInstance } = started;
  if (parentInstance === undefined) return undefined;
  return {
    instanceId: parentInstance.workflowInstance?.instanceId ?? "",
    executionId: parentInstance.workflowInstance?.executionId ?? "",
    taskId: parentInstance.taskScheduledId,
  };
}
