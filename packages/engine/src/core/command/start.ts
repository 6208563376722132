// SPDX-License-Identifier: Apache-2.0

import type { TraceContext } from "@pawl/protocol";
import { toNearestTimestamp } from "@pawl/protocol";
import { EngineError } from "../../errors.js";
import { inboundRecord } from "../event.js";
import type { Outcome } from "../outcome.js";
import type { Beginning, InstanceState, ParentLink } from "../state.js";
import { hasEnded } from "../status.js";
import { traceFields } from "../trace/trace-context.js";

/** What a start asks for. Ids are minted by the caller. */
export interface StartFacts {
  readonly instanceId: string;
  readonly workflow: string;
  readonly executionId: string;
  readonly input: string | undefined;
  /** Earliest instant of the first turn; 0: at once. */
  readonly startAt: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly enforceUniqueInstanceId: boolean;
  readonly traceContext: TraceContext | undefined;
  /** The execution gets a span of its own. @default false */
  readonly hasSpan?: boolean;
  /** An instance below the one that has the id, which has not ended. */
  readonly activeChild?: string | undefined;
}

/** Why an id cannot be used for a new execution; undefined: it can (engine semantics 2.3). */
export function refusal(
  state: InstanceState | undefined,
  instanceId: string,
  activeChild: string | undefined,
): string | undefined {
  if (state === undefined) return undefined;
  if (!hasEnded(state)) return `an active workflow with ID '${instanceId}' already exists`;
  if (activeChild === undefined) return undefined;
  return `cannot recreate workflow with ID '${instanceId}': child workflow '${activeChild}' has not ended`;
}

/**
 * Starts an instance, or starts an ended one anew (engine semantics 2.3).
 * @throws INSTANCE_EXISTS when the id is taken
 */
export function start(state: InstanceState | undefined, facts: StartFacts, now: number): Outcome {
  const reason =
    refusal(state, facts.instanceId, facts.activeChild) ??
    (state !== undefined && facts.enforceUniqueInstanceId
      ? `a workflow with ID '${facts.instanceId}' already exists and the create enforces instance ID uniqueness`
      : undefined);
  if (reason !== undefined) {
    throw new EngineError("INSTANCE_EXISTS", reason, {
      details: { instanceId: facts.instanceId },
    });
  }
  const record = inboundRecord(now, {
    case: "executionStarted",
    value: {
      name: facts.workflow,
      input: facts.input,
      workflowInstance: { instanceId: facts.instanceId, executionId: facts.executionId },
      scheduledStartTimestamp: facts.startAt > 0 ? toNearestTimestamp(facts.startAt) : undefined,
      ...traceFields(facts.traceContext, facts.executionId, facts.hasSpan ?? false),
      tags: { ...facts.tags },
    },
  });
  return { beginning: beginningOf(state, facts, undefined, now), accepted: [record], messages: [] };
}

/** How the new execution of `facts.instanceId` begins. */
export function beginningOf(
  state: InstanceState | undefined,
  facts: Pick<StartFacts, "instanceId" | "workflow" | "executionId" | "startAt" | "tags">,
  parent: ParentLink | undefined,
  now: number,
  propagated?: Uint8Array,
): Beginning {
  return {
    instanceId: facts.instanceId,
    generation: (state?.generation ?? 0) + 1,
    workflow: facts.workflow,
    executionId: facts.executionId,
    createdAt: now,
    startAt: facts.startAt,
    parent,
    tags: facts.tags,
    continued: false,
    propagated,
  };
}
