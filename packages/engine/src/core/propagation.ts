// SPDX-License-Identifier: Apache-2.0

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type EventRecord,
  HistoryPropagationScope,
  OrchestrationStatus,
  PropagatedHistorySchema,
  type WorkflowAction,
} from "@pawl/protocol";
import type { InstanceState } from "./state.js";

/** The execution whose history is handed on. */
export type PropagationSource = Pick<InstanceState, "instanceId" | "workflow" | "propagated"> & {
  /** Name of the application that it ran in; workers refuse a chunk without one. */
  readonly appId: string;
};

/**
 * What an activity or a child gets to see of those above it: the events so far of who asks for it, as
 * one chunk, and with "lineage" before it the chunks that the asker was given itself (engine semantics
 * 12.1). The message PropagatedHistory, encoded; undefined where nothing was asked for.
 */
export function propagate(
  { appId, instanceId, workflow, propagated }: PropagationSource,
  scope: HistoryPropagationScope | undefined,
  events: readonly EventRecord[],
): Uint8Array | undefined {
  if (!isScope(scope)) return undefined;
  const hasLineage = scope === HistoryPropagationScope.LINEAGE && propagated !== undefined;
  const above = hasLineage ? fromBinary(PropagatedHistorySchema, propagated).chunks : [];
  const rawEvents = events.map(({ bytes }) => bytes);
  const own = { rawEvents, appId, instanceId, workflowName: workflow };
  const history = create(PropagatedHistorySchema, { scope, chunks: [...above, own] });
  return toBinary(PropagatedHistorySchema, history);
}

/** What the next execution gets: what this one was given, by its scope, and this one's own events. */
export function propagateOnward(
  source: PropagationSource,
  events: readonly EventRecord[],
): Uint8Array | undefined {
  const { propagated } = source;
  return propagated && propagate(source, scopeOf(propagated), events);
}

/** The scope by which a history was handed on. */
export function scopeOf(propagated: Uint8Array): HistoryPropagationScope {
  return fromBinary(PropagatedHistorySchema, propagated).scope;
}

/** True for a scope by which something is handed on. */
export function isScope(
  scope: HistoryPropagationScope | undefined,
): scope is HistoryPropagationScope.OWN_HISTORY | HistoryPropagationScope.LINEAGE {
  return scope === HistoryPropagationScope.OWN_HISTORY || scope === HistoryPropagationScope.LINEAGE;
}

/** True when a turn with these actions can be carried out only with the whole history at hand. */
export function needsHistory(
  { propagated }: Pick<InstanceState, "propagated">,
  actions: readonly WorkflowAction[],
): boolean {
  return actions.some(({ workflowActionType: type }) => {
    if (type.case === "createChildWorkflow") return isScope(type.value.historyPropagationScope);
    if (type.case !== "completeWorkflow" || propagated === undefined) return false;
    return type.value.workflowStatus === OrchestrationStatus.CONTINUED_AS_NEW;
  });
}

/** The events up to the scheduling of a task, which its activity may see; undefined: it is not there. */
export function eventsUpTo(
  history: readonly EventRecord[],
  taskId: number,
): readonly EventRecord[] | undefined {
  const at = history.findIndex(({ event: { eventId, eventType } }) => {
    return eventType.case === "taskScheduled" && eventId === taskId;
  });
  return at === -1 ? undefined : history.slice(0, at + 1);
}
