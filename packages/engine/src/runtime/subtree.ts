// SPDX-License-Identifier: Apache-2.0

import type { InstanceState } from "../core/state.js";
import { hasEnded } from "../core/status.js";
import type { Runtime } from "./runtime.js";

/**
 * Visits an instance and, where `visit` says so, the children that its history has; parents before
 * children, each once. Missing ones are skipped.
 * @throws INSTANCE_DAMAGED, STORE_UNAVAILABLE, and what `visit` throws
 */
export async function walkSubtree(
  runtime: Runtime,
  instanceId: string,
  visit: (state: InstanceState) => "children" | "leaf",
): Promise<void> {
  const seen = new Set<string>();
  const open = [instanceId];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    await runtime.mailboxes.run(id, ({ state }) => {
      if (state === undefined || visit(state) === "leaf") return;
      for (const child of state.fold.children.values()) open.push(child.instanceId);
    });
  }
}

/**
 * A child, at any depth, that has not ended below an instance that has: while there is one, the id
 * cannot be used again (engine semantics 2.3).
 */
export async function activeDescendant(
  runtime: Runtime,
  instanceId: string,
): Promise<string | undefined> {
  const { mailboxes } = runtime;
  const live = mailboxes.peek(instanceId)?.state;
  if (live !== undefined && !hasEnded(live)) return undefined;
  let active: string | undefined;
  await walkSubtree(runtime, instanceId, (state) => {
    if (!hasEnded(state)) {
      if (state.instanceId !== instanceId) active ??= state.instanceId;
      return "leaf";
    }
    return active === undefined ? "children" : "leaf";
  });
  return active;
}
