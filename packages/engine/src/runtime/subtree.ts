// SPDX-License-Identifier: Apache-2.0

import type { InstanceState } from "../core/state.js";
import { hasEnded } from "../core/status.js";
import type { Runtime } from "./runtime.js";

/** How to walk. */
export interface WalkOptions {
  /**
   * Wait until what is known of each instance is on disk, and until the messages on their way to it
   * have arrived: a child that was asked for is then not taken for a missing one. Not for use while
   * a message is being taken. @default false
   */
  readonly settled?: boolean;
}

/**
 * Visits an instance and, where `visit` says so, the children that its history has; parents before
 * children, each once. Missing ones are skipped.
 * @throws INSTANCE_DAMAGED, STORE_UNAVAILABLE, and what `visit` throws
 */
export async function walkSubtree(
  runtime: Runtime,
  instanceId: string,
  visit: (state: InstanceState) => "children" | "leaf",
  { settled = false }: WalkOptions = {},
): Promise<void> {
  const seen = new Set<string>();
  const open = [instanceId];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    if (settled) await runtime.arrived(id);
    await runtime.mailboxes.run(id, async (mailbox) => {
      const { state } = mailbox;
      try {
        if (state === undefined || visit(state) === "leaf") return;
        for (const child of state.fold.children.values()) open.push(child.instanceId);
      } finally {
        // From then on the messages to its children are on their way.
        if (settled) await runtime.durable(mailbox);
      }
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
