// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "../../errors.js";
import { purgeForParent } from "../child-result.js";
import type { Message, PurgeOrder } from "../outcome.js";
import type { InstanceState } from "../state.js";
import { hasEnded } from "../status.js";

/**
 * Checks that an instance may be deleted without force.
 * @throws INSTANCE_NOT_ENDED unless it has ended
 */
export function requirePurgeable(state: InstanceState): void {
  if (hasEnded(state)) return;
  throw new EngineError(
    "INSTANCE_NOT_ENDED",
    `workflow '${state.instanceId}' has not ended: terminate it first, or purge with force`,
    { details: { instanceId: state.instanceId } },
  );
}

/**
 * One order for each distinct child that the history of a purged instance has, or is about to have: an id that
 * somebody else had is nobody's to delete, hence the execution that asked for it.
 */
export function purgeChildren({ fold, executionId }: InstanceState): PurgeOrder[] {
  const ids = new Set([...fold.children.values()].map((child) => child.instanceId));
  return [...ids].map((targetId) => ({ targetId, parentExecutionId: executionId }));
}

/** What the parent, if one waits, is told of an instance that is purged by itself: no result is to come. */
export function purgeNotice(state: InstanceState, now: number): Message | undefined {
  const isAwaited = state.parent !== undefined && !hasEnded(state);
  return isAwaited ? purgeForParent(state.parent, now) : undefined;
}
