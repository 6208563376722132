// SPDX-License-Identifier: Apache-2.0

import { requirePurgeable } from "../core/command/purge.js";
import type { InstanceState } from "../core/state.js";
import { EngineError } from "../errors.js";
import { entriesOf } from "../store/index/index-check.js";
import {
  instanceRange,
  isTimerKey,
  kindRange,
  liveKey,
  parseTimerKey,
  partitionOf,
  rowKey,
} from "../store/key.js";
import type { StoreWrite } from "../store/store.js";
import type { Drafted } from "./journal.js";
import type { Runtime } from "./runtime.js";
import { walkSubtree } from "./subtree.js";

/**
 * Deletes an instance, and first, where asked, the children that its history has; a missing child
 * is skipped (engine semantics 13.2). All are checked before the first is deleted. By force, what is
 * left of a damaged instance is deleted, too; its children, which only its history names, stay.
 * @throws INSTANCE_NOT_FOUND, INSTANCE_NOT_ENDED, INSTANCE_DAMAGED
 */
export async function purge(
  runtime: Runtime,
  instanceId: string,
  options: { readonly recursive: boolean; readonly force: boolean },
): Promise<number> {
  const { found, damaged } = await collect(runtime, instanceId, options);
  let purged = 0;
  for (const id of found.reverse()) {
    if (damaged.has(id)) {
      await purgeRemains(runtime, id);
      purged += 1;
      continue;
    }
    await runtime.mailboxes.run(id, (mailbox) => {
      if (mailbox.state === undefined) return runtime.durable(mailbox);
      requirePurgeable(mailbox.state, options.force);
      const worker = runtime.dispatch.workers.get(mailbox.turn?.workerId ?? "");
      worker?.dropTurn(mailbox.turn?.token ?? "");
      for (const holder of runtime.dispatch.workers.values()) {
        if (holder.cached.delete(id)) holder.release(id);
      }
      mailbox.turn = undefined;
      runtime.dequeue(mailbox);
      mailbox.purge();
      purged += 1;
      mailbox.lastCommit = runtime.journal.commit(mailbox, true);
      runtime.dispatch.pump();
      return mailbox.lastCommit;
    });
  }
  return purged;
}

/**
 * The instance and, when recursive, all below it; parents before children. By force, those that are
 * damaged are among them.
 * @throws INSTANCE_NOT_FOUND, INSTANCE_NOT_ENDED, INSTANCE_DAMAGED
 */
async function collect(
  runtime: Runtime,
  instanceId: string,
  { recursive, force }: { readonly recursive: boolean; readonly force: boolean },
): Promise<{ found: string[]; damaged: Set<string> }> {
  const found: string[] = [];
  const damaged = new Set<string>();
  const onDamaged = (id: string): void => {
    found.push(id);
    damaged.add(id);
  };
  const visit = (state: InstanceState): "children" | "leaf" => {
    requirePurgeable(state, force);
    found.push(state.instanceId);
    return recursive ? "children" : "leaf";
  };
  await walkSubtree(runtime, instanceId, visit, {
    settled: true,
    ...(force ? { onDamaged } : {}),
  });
  if (found.length === 0) {
    throw new EngineError("INSTANCE_NOT_FOUND", `no such instance exists: '${instanceId}'`, {
      details: { instanceId },
    });
  }
  return { found, damaged };
}

/** Deletes every key of an instance that cannot be read any more. */
async function purgeRemains(runtime: Runtime, instanceId: string): Promise<void> {
  const { store, journal } = runtime;
  const ranges = [
    instanceRange("history", instanceId),
    instanceRange("inbox", instanceId),
    kindRange("timer", partitionOf(instanceId)),
  ];
  const entries = (await Promise.all(ranges.map((range) => store.range(range)))).flat();
  const keys = entries
    .map(([key]) => key)
    .filter((key) => !isTimerKey(key) || parseTimerKey(key).instanceId === instanceId);
  // What the row says of its entries cannot be believed.
  const indexed = await entriesOf(store, instanceId);
  const remains = [rowKey(instanceId), liveKey(instanceId), ...keys, ...indexed];
  const draft = (writes: StoreWrite[]): Drafted => {
    for (const key of remains) writes.push({ type: "del", key });
    return { changedId: instanceId };
  };
  await journal.commit({ draft }, true);
}
