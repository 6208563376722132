// SPDX-License-Identifier: Apache-2.0

import type { CompleteWorkflowAction, ExecutionStartedEvent } from "@pawl/protocol";
import { EventRecord } from "@pawl/protocol";
import { inboundRecord, optional } from "./event.js";
import type { Outcome } from "./outcome.js";
import type { InstanceState } from "./state.js";

/**
 * Replaces an execution by its next one: same id, name, parent and tags, new execution id, empty
 * history; the inbox has the new start, then the events carried over, then what no turn has taken.
 * Everything else that the turn asked for is dropped (engine semantics 4.8).
 */
export function continueAsNew(
  state: InstanceState,
  turn: { readonly consumed: number; readonly customStatus: string | undefined },
  action: CompleteWorkflowAction,
  executionId: string,
  now: number,
): Outcome {
  const before = state.fold.startRecord ?? state.inbox.find(isStart);
  const started = before?.event.eventType;
  const parentInstance =
    started?.case === "executionStarted" ? started.value.parentInstance : undefined;
  const start = inboundRecord(now, {
    case: "executionStarted",
    value: {
      name: state.workflow,
      ...optional("input", action.result),
      workflowInstance: { instanceId: state.instanceId, executionId },
      ...optional<"parentInstance", ExecutionStartedEvent["parentInstance"]>(
        "parentInstance",
        parentInstance,
      ),
      tags: { ...state.tags },
    },
  });
  return {
    beginning: {
      instanceId: state.instanceId,
      generation: state.generation + 1,
      workflow: state.workflow,
      executionId,
      createdAt: now,
      startAt: 0,
      parent: state.parent,
      tags: state.tags,
      continued: true,
    },
    accepted: [start, ...action.carryoverEvents.map((event) => EventRecord.of(event))],
    turn: { consumed: turn.consumed, appended: [], customStatus: turn.customStatus },
    messages: [],
  };
}

function isStart(record: EventRecord): boolean {
  return record.event.eventType.case === "executionStarted";
}
