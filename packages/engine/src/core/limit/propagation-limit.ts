// SPDX-License-Identifier: Apache-2.0

import {
  type EventRecord,
  HistoryPropagationScope,
  limits,
  OrchestrationStatus,
  type WorkflowAction,
} from "@pawl/protocol";
import { isScope, scopeOf } from "../propagation.js";
import type { InstanceState } from "../state.js";
import { failing, payloadFailure } from "./payload-limit.js";

/** What a turn has to hand on. */
export interface HandedOn {
  /** Bytes of the history before the turn, with what the execution was given itself. */
  readonly historyBytes: number;
  /** The turn's own events. */
  readonly events: readonly EventRecord[];
}

/**
 * The actions of a turn, or, when an activity, a child or the next execution would be given more of the
 * histories above it than a payload may have, one that fails the instance.
 */
export function limitPropagation(
  { propagated }: Pick<InstanceState, "propagated">,
  { historyBytes, events }: HandedOn,
  actions: readonly WorkflowAction[],
): readonly WorkflowAction[] {
  const own = historyBytes - (propagated?.length ?? 0);
  for (const action of actions) {
    const asked = askedOf(action, propagated);
    if (asked === undefined) continue;
    const before = asked.scope === HistoryPropagationScope.LINEAGE ? historyBytes : own;
    const turnBytes = events.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const bytes = before + turnBytes + asked.inputBytes;
    if (bytes <= limits.payloadBytes) continue;
    return [failing(actions, payloadFailure(`the history that ${asked.what} is given`, bytes))];
  }
  return actions;
}

interface Asked {
  readonly what: string;
  readonly scope: HistoryPropagationScope | undefined;
  /** What travels with it. */
  readonly inputBytes: number;
}

function askedOf(
  { workflowActionType: type }: WorkflowAction,
  propagated: Uint8Array | undefined,
): Asked | undefined {
  switch (type.case) {
    case "scheduleTask":
    case "createChildWorkflow": {
      const { name, input = "", historyPropagationScope: scope } = type.value;
      if (!isScope(scope)) return undefined;
      const what = `${type.case === "scheduleTask" ? "activity" : "workflow"} "${name}"`;
      return { what, scope, inputBytes: Buffer.byteLength(input) };
    }
    case "completeWorkflow": {
      const isNext = type.value.workflowStatus === OrchestrationStatus.CONTINUED_AS_NEW;
      if (!isNext || propagated === undefined) return undefined;
      return { what: "the next execution", scope: scopeOf(propagated), inputBytes: 0 };
    }
    default:
      return undefined;
  }
}
