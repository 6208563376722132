// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "../errors.js";
import type { InstanceState } from "./state.js";

/**
 * Refuses what only the workflow's code could act on while nobody can run it (engine semantics 2.4).
 * Terminate and purge are not refused: nothing may be stuck for good.
 * @throws INSTANCE_STALLED
 */
export function requireNotStalled({ instanceId, fold }: InstanceState): void {
  if (fold.stall === undefined) return;
  throw new EngineError("INSTANCE_STALLED", `workflow is stalled: ${fold.stall.description}`, {
    details: { instanceId },
  });
}
