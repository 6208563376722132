// SPDX-License-Identifier: Apache-2.0

import type { BatchAction, BatchCommand, InstanceStatus } from "@pawl/protocol/port";
import { EngineError } from "../../errors.js";
import { conditionOf, isVacuous } from "../read/query/condition.js";
import { requireFilter } from "../read/query/filter.js";

const open: readonly InstanceStatus[] = ["pending", "running", "suspended", "stalled"];
const ended: readonly InstanceStatus[] = ["completed", "failed", "terminated"];

/** The instances that an action is for. */
const targets: Record<BatchAction, readonly InstanceStatus[]> = {
  terminate: open,
  suspend: open,
  resume: open,
  purge: ended,
  rerun: ended,
};

/**
 * Checks a command; returns the statuses that are meant.
 * @throws INVALID_ARGUMENT
 */
export function requireBatch(command: BatchCommand): readonly InstanceStatus[] {
  const { action, filter, allInstances = false, force = false } = command;
  if (!Object.hasOwn(targets, action))
    throw invalid("action", `"${action}" is no action of a batch`);
  requireFilter(filter);
  if (!allInstances && isEmpty(filter)) {
    throw invalid("filter", "the filter has no condition: set allInstances if all are meant");
  }
  const wanted = action === "purge" && force ? [...open, ...ended] : targets[action];
  if (!filter.statuses?.length) return wanted;
  const statuses = filter.statuses.filter((status) => wanted.includes(status));
  if (statuses.length > 0) return statuses;
  throw invalid(
    "statuses",
    `a ${action} is for instances that are ${wanted.join(", ")}, and none of these is asked for`,
  );
}

/** True when every instance passes. */
function isEmpty(filter: BatchCommand["filter"]): boolean {
  return isVacuous(conditionOf(filter));
}

function invalid(field: string, message: string): EngineError {
  return new EngineError("INVALID_ARGUMENT", message, { details: { field } });
}
