// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "../../errors.js";
import type { InstanceState } from "../state.js";
import { hasEnded } from "../status.js";

/**
 * Checks that an instance may be deleted.
 * @throws INSTANCE_NOT_ENDED unless it has ended or `force` is set
 */
export function requirePurgeable(state: InstanceState, force: boolean): void {
  if (force || hasEnded(state)) return;
  throw new EngineError(
    "INSTANCE_NOT_ENDED",
    `workflow '${state.instanceId}' has not ended: terminate it first, or purge with force`,
    { details: { instanceId: state.instanceId } },
  );
}
