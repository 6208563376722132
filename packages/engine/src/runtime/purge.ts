// SPDX-License-Identifier: Apache-2.0

import { requirePurgeable } from "../core/command/purge.js";
import type { InstanceState } from "../core/state.js";
import { EngineError } from "../errors.js";
import { entriesOf } from "../store/index/index-check.js";
import {
  instanceRange,
  isEndedKey,
  isTimerKey,
  kindRange,
  liveKey,
  parseEndedKey,
  parseTimerKey,
  partitionOf,
  rowKey,
} from "../store/key.js";
import { del, type StoreWrite } from "../store/store.js";
import type { Drafted } from "./journal.js";
import type { Mailbox } from "./mailbox.js";
import { readOlderRows, removingWrites } from "./retention/older-executions.js";
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
    if (await remove(runtime, id, (state) => requirePurgeable(state, options.force))) purged += 1;
  }
  return purged;
}

/**
 * Deletes one instance with its older executions, and nothing else; false when there is none.
 * @throws what `check` throws of its state, INSTANCE_DAMAGED
 */
async function remove(
  runtime: Runtime,
  instanceId: string,
  check: (state: InstanceState) => void,
): Promise<boolean> {
  for (;;) {
    const older = await readOlder(runtime, instanceId);
    const removed = await runtime.mailboxes.run(instanceId, async (mailbox) => {
      const { state } = mailbox;
      if (state === undefined) {
        await runtime.durable(mailbox);
        return false;
      }
      check(state);
      // Another execution may have become an older one since they were read.
      if (state.generation !== older.generation) return undefined;
      await drop(runtime, mailbox, older.writes);
      return true;
    });
    if (removed !== undefined) return removed;
  }
}

/** What it takes to delete the older executions, and the generation that they are older than. */
async function readOlder(
  runtime: Runtime,
  instanceId: string,
): Promise<{ generation: number; writes: StoreWrite[] }> {
  const generation = await runtime.mailboxes.run(instanceId, async (mailbox) => {
    const present = mailbox.state?.generation ?? 0;
    await runtime.durable(mailbox);
    return present;
  });
  // The first execution of an id has none before it.
  if (generation <= 1) return { generation, writes: [] };
  const rows = await readOlderRows(runtime.store, instanceId);
  return { generation, writes: rows.flatMap((row) => removingWrites(instanceId, row)) };
}

/** Ends all that goes on with an instance, and deletes it. `extra` writes go into the same commit. */
export function drop(
  runtime: Runtime,
  mailbox: Mailbox,
  extra: readonly StoreWrite[],
): Promise<void> {
  const { instanceId, turn } = mailbox;
  const worker = runtime.dispatch.workers.get(turn?.workerId ?? "");
  worker?.dropTurn(turn?.token ?? "");
  for (const holder of runtime.dispatch.workers.values()) {
    if (holder.cached.delete(instanceId)) holder.release(instanceId);
  }
  mailbox.turn = undefined;
  runtime.dequeue(mailbox);
  mailbox.purge(extra);
  const committed = runtime.journal.commit(mailbox, true);
  mailbox.lastCommit = committed;
  runtime.dispatch.pump();
  return committed;
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
    instanceRange("execution", instanceId),
    kindRange("timer", partitionOf(instanceId)),
    kindRange("ended", partitionOf(instanceId)),
  ];
  const entries = (await Promise.all(ranges.map((range) => store.range(range)))).flat();
  const keys = entries
    .map(([key]) => key)
    .filter((key) => !isTimerKey(key) || parseTimerKey(key).instanceId === instanceId)
    .filter((key) => !isEndedKey(key) || parseEndedKey(key).instanceId === instanceId);
  // What the row says of its entries cannot be believed.
  const indexed = await entriesOf(store, instanceId);
  const remains = [rowKey(instanceId), liveKey(instanceId), ...keys, ...indexed];
  const draft = (writes: StoreWrite[]): Drafted => {
    for (const key of remains) writes.push(del(key));
    return { changedId: instanceId };
  };
  await journal.commit({ draft }, true);
}
