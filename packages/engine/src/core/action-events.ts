// SPDX-License-Identifier: Apache-2.0

import {
  type CreateChildWorkflowAction,
  type CreateDetachedWorkflowAction,
  type EventRecord,
  nearestTimestamp,
  type SendEventAction,
  type TraceContext,
  type WorkflowAction,
} from "@pawl/protocol";
import { childFailed } from "./child-result.js";
import { actionRecord, finalFailure, inboundRecord, optional, terminatedRecord } from "./event.js";
import { instanceIdFault } from "./instance-id.js";
import type { Message } from "./outcome.js";
import { propagate } from "./propagation.js";
import { hasSpan, type InstanceState, traceOf } from "./state.js";
import { traceFields } from "./trace/trace-context.js";

/** What the actions of a turn become. */
export interface ActionEvents {
  readonly appended: EventRecord[];
  readonly messages: Message[];
}

/** What is needed beside the action itself. */
export interface ActionContext {
  readonly state: InstanceState;
  readonly now: number;
  /** Mints an execution id. */
  readonly createId: () => string;
  /** The committed history, where the turn hands it on. */
  readonly history: readonly EventRecord[];
  /** Name of the application, for histories that are handed on. */
  readonly appId: string;
}

/**
 * Turns one action into history events and messages (engine semantics 4). Completions are not its
 * business, and actions that cannot be carried out have been sorted out (`limitActions`).
 */
export function addAction(
  into: ActionEvents,
  action: WorkflowAction,
  context: ActionContext,
): void {
  const { workflowActionType: type, id } = action;
  const { now } = context;
  switch (type.case) {
    case "scheduleTask": {
      const { name, version, input, taskExecutionId, historyPropagationScope } = type.value;
      const parentTraceContext = traceOf(context.state);
      const value = {
        name,
        version,
        input,
        taskExecutionId,
        parentTraceContext,
        historyPropagationScope,
      };
      into.appended.push(actionRecord(id, now, { case: "taskScheduled", value }));
      break;
    }
    case "createTimer": {
      // Of an instance that ends with this turn, too: the fold arms none then (engine semantics 4.7).
      const { fireAt, name, origin } = type.value;
      const at = fireAt && nearestTimestamp(fireAt);
      const value = { ...optional("fireAt", at), ...optional("name", name), origin };
      into.appended.push(actionRecord(id, now, { case: "timerCreated", value }));
      break;
    }
    case "createChildWorkflow":
      addChild(into, id, type.value, context);
      break;
    case "createDetachedWorkflow":
      addDetached(into, id, type.value, context);
      break;
    case "sendEvent":
      addSentEvent(into, id, type.value, now);
      break;
    case "terminateWorkflow": {
      const { instanceId, reason, recurse } = type.value;
      into.messages.push({ targetId: instanceId, record: terminatedRecord(now, reason, recurse) });
      break;
    }
    default:
  }
}

function addChild(
  into: ActionEvents,
  id: number,
  action: CreateChildWorkflowAction,
  { state, now, createId, history, appId }: ActionContext,
): void {
  const instanceId = action.instanceId || defaultChildId(state.instanceId, id);
  const { name, version, input, historyPropagationScope: scope, retryParentInstanceInfo } = action;
  const trace = optional("parentTraceContext", traceOf(state));
  const fault = action.instanceId === "" ? undefined : instanceIdFault(instanceId);
  const value = {
    // As it will be read back: UTF-8 has no halves of characters.
    instanceId: fault === undefined ? instanceId : Buffer.from(instanceId).toString(),
    name,
    ...optional("version", version),
    ...optional("input", input),
    ...trace,
    ...optional("historyPropagationScope", scope),
    ...optional("retryParentInstanceInfo", retryParentInstanceInfo),
  };
  into.appended.push(actionRecord(id, now, { case: "childWorkflowInstanceCreated", value }));
  if (fault !== undefined) {
    // The task fails, as it does when the id is taken: in a later turn, and the workflow may go on.
    const record = childFailed(id, finalFailure("InvalidInstanceId", fault), now);
    const { instanceId: targetId, executionId: targetExecutionId } = state;
    into.messages.push({ targetId, targetExecutionId, record });
    return;
  }
  const parent = { ...idsOf(state), trace: traceOf(state), hasSpan: hasSpan(state), createId };
  const propagated = propagate({ ...state, appId }, scope, [...history, ...into.appended]);
  into.messages.push(childStart(parent, { taskId: id, instanceId, name, input, propagated }, now));
}

function idsOf(state: InstanceState): Omit<ChildParent, "trace" | "hasSpan" | "createId"> {
  const { instanceId, executionId, workflow } = state;
  return { instanceId, executionId, workflow };
}

/** Who asks for a child. */
export interface ChildParent {
  readonly instanceId: string;
  readonly executionId: string;
  readonly workflow: string;
  readonly trace: TraceContext | undefined;
  /** It has a span of its own, and so has the child. */
  readonly hasSpan: boolean;
  /** Mints an execution id. */
  readonly createId: () => string;
}

/** The message that starts a child. */
export function childStart(
  parent: ChildParent,
  child: {
    readonly taskId: number;
    readonly instanceId: string;
    readonly name: string;
    readonly input: string | undefined;
    readonly propagated: Uint8Array | undefined;
  },
  now: number,
): Message {
  const { instanceId, name, input, taskId, propagated } = child;
  const executionId = parent.createId();
  const record = inboundRecord(now, {
    case: "executionStarted",
    value: {
      name,
      ...optional("input", input),
      ...traceFields(parent.trace, executionId, parent.hasSpan),
      workflowInstance: { instanceId, executionId },
      parentInstance: {
        taskScheduledId: taskId,
        name: parent.workflow,
        workflowInstance: { instanceId: parent.instanceId, executionId: parent.executionId },
      },
    },
  });
  return { targetId: instanceId, record, ...optional("propagated", propagated) };
}

/** Id of a child whose parent gave none: the parent's id and the action's, in hex. */
export function defaultChildId(parentId: string, actionId: number): string {
  return `${parentId}:${actionId.toString(16).padStart(4, "0")}`;
}

function addDetached(
  into: ActionEvents,
  id: number,
  action: CreateDetachedWorkflowAction,
  { state, now, createId }: ActionContext,
): void {
  const { instanceId, name, version, input, scheduledStartTimestamp, tags } = action;
  const executionId = action.executionId || createId();
  into.appended.push(
    actionRecord(id, now, { case: "detachedWorkflowInstanceCreated", value: { instanceId } }),
  );
  const record = inboundRecord(now, {
    case: "executionStarted",
    value: {
      name,
      tags,
      workflowInstance: { instanceId, executionId },
      ...optional("version", version),
      ...optional("input", input),
      ...optional("scheduledStartTimestamp", scheduledStartTimestamp),
      ...traceFields(action.parentTraceContext ?? traceOf(state), executionId, hasSpan(state)),
    },
  });
  into.messages.push({ targetId: instanceId, record });
}

/** The target gets what its code can wait for: an eventRaised (engine semantics 4.5). */
function addSentEvent(into: ActionEvents, id: number, action: SendEventAction, now: number): void {
  const { instance, name, data } = action;
  const targetId = instance?.instanceId ?? "";
  const value = { instanceId: targetId, name, ...optional("input", data) };
  into.appended.push(actionRecord(id, now, { case: "eventSent", value }));
  const record = inboundRecord(now, {
    case: "eventRaised",
    value: { name, ...optional("input", data) },
  });
  into.messages.push({ targetId, record });
}
