// SPDX-License-Identifier: Apache-2.0

import { limits, type WorkflowAction } from "@pawl/protocol";
import { instanceIdFault } from "../instance-id.js";

/** Why no engine can carry these actions out; undefined: it can (engine semantics 4.10). */
export function actionsFault(actions: readonly WorkflowAction[]): string | undefined {
  if (actions.length > limits.turnActions) {
    return `a turn asked for ${actions.length} actions; at most ${limits.turnActions} are allowed`;
  }
  const ids = actions.length > 1 ? new Set<number>() : undefined;
  for (const action of actions) {
    const fault = actionFault(action, ids);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** True for a number that fits into an event's id, which has 32 bits on the wire. */
export function isEventId(id: number): boolean {
  return (id | 0) === id;
}

/** `ids`: those of the actions before, whose results could not be told apart; absent: it is the only one. */
function actionFault(
  { id, workflowActionType: type }: WorkflowAction,
  ids: Set<number> | undefined,
): string | undefined {
  if (!isEventId(id)) return `action ${id} has no usable id`;
  switch (type.case) {
    case undefined:
      return `action ${id} is of a kind that this server does not know`;
    case "completeWorkflow":
    case "terminateWorkflow":
    case "workflowVersionNotAvailable":
      return undefined;
    case "createTimer":
      return repeatFault(id, ids);
    case "createDetachedWorkflow": {
      const { name, instanceId, tags } = type.value;
      const fault = instanceIdFault(instanceId) ?? tagsFault(tags);
      if (fault !== undefined) return `action ${id} (workflow "${name}"): ${fault}`;
      return nameFault(id, name) ?? repeatFault(id, ids);
    }
    default:
      return nameFault(id, type.value.name) ?? repeatFault(id, ids);
  }
}

function repeatFault(id: number, ids: Set<number> | undefined): string | undefined {
  if (ids?.has(id)) return `two actions of one turn have the id ${id}`;
  ids?.add(id);
  return undefined;
}

function nameFault(id: number, name: string): string | undefined {
  // At most three bytes a unit: only long names need to be counted.
  const isFine = name !== "" && name.length * 3 <= limits.nameBytes;
  if (isFine || (name !== "" && Buffer.byteLength(name, "utf8") <= limits.nameBytes)) {
    return undefined;
  }
  return `action ${id} has a name of ${Buffer.byteLength(name, "utf8")} bytes; 1 to ${limits.nameBytes} are allowed`;
}

/** Why these cannot be the tags of an instance; undefined: they can. */
export function tagsFault(tags: Readonly<Record<string, string>>): string | undefined {
  const entries = Object.entries(tags);
  if (entries.length > limits.tags) {
    return `${entries.length} tags; at most ${limits.tags} are allowed`;
  }
  for (const [key, value] of entries) {
    const keyBytes = Buffer.byteLength(key, "utf8");
    const valueBytes = Buffer.byteLength(value, "utf8");
    if (keyBytes === 0 || keyBytes > limits.tagKeyBytes || valueBytes > limits.tagValueBytes) {
      return `a tag's key has 1 to ${limits.tagKeyBytes} bytes, its value at most ${limits.tagValueBytes}`;
    }
  }
  return undefined;
}
