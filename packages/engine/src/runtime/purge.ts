// SPDX-License-Identifier: Apache-2.0

import { purgeForParent } from "../core/child-result.js";
import { purgeChildren, purgeNotice, requirePurgeable } from "../core/command/purge.js";
import { type Message, nothing } from "../core/outcome.js";
import type { InstanceState } from "../core/state.js";
import { EngineError } from "../errors.js";
import { encodeMessage } from "../store/codec.js";
import { isDamage } from "../store/damaged.js";
import { entriesOf } from "../store/index/index-check.js";
import {
  chunkKey,
  instanceRange,
  isEndedKey,
  isTimerKey,
  kindRange,
  liveKey,
  outboxKey,
  parseEndedKey,
  parseTimerKey,
  partitionOf,
  rowKey,
} from "../store/key.js";
import { del, type KeyRange, put, type StoreWrite } from "../store/store.js";
import type { PostedOrder, Posting } from "./commit/effects.js";
import type { Drafted } from "./journal.js";
import { readRow } from "./loader.js";
import type { Mailbox } from "./mailbox.js";
import { readOlderRows, removingWrites } from "./retention/older-executions.js";
import type { Runtime } from "./runtime.js";
import { waitingParents } from "./salvage/waiting-parents.js";
import { walkSubtree } from "./subtree.js";

/**
 * Deletes an instance and, where asked, the children that its history has, at any depth. Without force, all
 * are checked before the first is deleted. Parents go before their children: nobody waits for a child that is
 * gone, and nothing new comes below. Each takes its leave with orders to delete its children, in one commit
 * (`purgeChild`): what is cut short is finished by the recovery. By force, what is left of a damaged instance
 * is deleted, too; its children, which only its history names, stay. A parent that waits for what had not ended
 * is told, in the same commit. Resolves with how many were deleted.
 * @throws INSTANCE_NOT_FOUND, INSTANCE_NOT_ENDED, INSTANCE_DAMAGED
 */
export async function purge(
  runtime: Runtime,
  instanceId: string,
  { recursive, force }: { readonly recursive: boolean; readonly force: boolean },
): Promise<number> {
  for (;;) {
    const ended = force ? undefined : await requireAllEnded(runtime, instanceId, recursive);
    await runtime.delivery.arrived(instanceId);
    let purged: number | undefined;
    try {
      purged = await withOlder(runtime, instanceId, force, async (mailbox, older) => {
        const { state } = mailbox;
        if (state === undefined) {
          await runtime.durable(mailbox);
          throw notFound(instanceId);
        }
        // Another execution may have begun since it was looked at, with other children.
        if (!force && state.executionId !== ended) return undefined;
        return dropTree(runtime, mailbox, older, recursive, purgeNotice(state, runtime.now()));
      });
    } catch (error) {
      if (!force || !isDamage(error)) throw error;
      const parents = await waitingParents(runtime.store, instanceId);
      const notices = parents.map((parent) => purgeForParent(parent, runtime.now()));
      return purgeRemains(runtime, instanceId, [], notices);
    }
    if (purged !== undefined) return purged;
  }
}

/**
 * Carries out the order that an instance left when it was purged. Resolves when nothing goes on any more with
 * the child; `purged`: how many are gone from the disk, with it and all below it. The order goes with the child.
 */
export async function purgeChild(
  runtime: Runtime,
  { key, order: { targetId, parentExecutionId } }: PostedOrder,
): Promise<{ readonly purged: Promise<number> }> {
  const done = [del(key)];
  try {
    return await withOlder(runtime, targetId, true, (mailbox, older) => {
      const isMeant = mailbox.state?.parent?.executionId === parentExecutionId;
      const purged = isMeant
        ? dropTree(runtime, mailbox, [...older, ...done], true)
        : runtime.apply(mailbox, nothing, done).then(() => 0);
      return { purged };
    });
  } catch (error) {
    if (!isDamage(error)) throw error;
    // Its row may still say whose child it is.
    const row = await readRow(runtime.store, targetId).catch(rethrowUnlessDamage);
    const isMeant = row?.parent?.executionId === parentExecutionId;
    const purged = isMeant ? purgeRemains(runtime, targetId, done) : write(runtime, done);
    return { purged: purged.then(() => (isMeant ? 1 : 0)) };
  }
}

/**
 * The execution of an instance that has ended with, when recursive, all below it.
 * @throws INSTANCE_NOT_FOUND, INSTANCE_NOT_ENDED, INSTANCE_DAMAGED
 */
async function requireAllEnded(
  runtime: Runtime,
  instanceId: string,
  recursive: boolean,
): Promise<string> {
  let executionId: string | undefined;
  const visit = (state: InstanceState): "children" | "leaf" => {
    requirePurgeable(state);
    executionId ??= state.executionId;
    return recursive ? "children" : "leaf";
  };
  await walkSubtree(runtime, instanceId, visit, { settled: true });
  if (executionId === undefined) throw notFound(instanceId);
  return executionId;
}

/**
 * Runs `use` on an instance's mailbox with what deletes the older executions that are kept of it. `byForce`:
 * also where these are damaged.
 * @throws INSTANCE_DAMAGED, STORE_UNAVAILABLE, and what `use` throws
 */
async function withOlder<T>(
  runtime: Runtime,
  instanceId: string,
  byForce: boolean,
  use: (mailbox: Mailbox, older: readonly StoreWrite[]) => T | Promise<T>,
): Promise<T> {
  for (;;) {
    const { generation, writes } = await readOlder(runtime, instanceId, byForce);
    let used: { readonly answer: T | Promise<T> } | undefined;
    await runtime.mailboxes.run(instanceId, (mailbox) => {
      // Another execution may have become an older one since they were read.
      if ((mailbox.state?.generation ?? 0) !== generation) return;
      used = { answer: use(mailbox, writes) };
    });
    if (used !== undefined) return used.answer;
  }
}

/** What it takes to delete the older executions, and the generation that they are older than. */
async function readOlder(
  runtime: Runtime,
  instanceId: string,
  byForce: boolean,
): Promise<{ generation: number; writes: StoreWrite[] }> {
  const generation = await runtime.mailboxes.run(instanceId, async (mailbox) => {
    const present = mailbox.state?.generation ?? 0;
    // What was acknowledged has been on disk, be it for a moment.
    await runtime.durable(mailbox);
    return present;
  });
  // The first execution of an id has none before it.
  if (generation <= 1) return { generation, writes: [] };
  try {
    const rows = await readOlderRows(runtime.store, instanceId);
    return { generation, writes: rows.flatMap((row) => removingWrites(instanceId, row)) };
  } catch (error) {
    if (!byForce || !isDamage(error)) throw error;
    const older = {
      ...instanceRange("history", instanceId),
      lt: chunkKey(instanceId, generation, 0),
    };
    return { generation, writes: (await keptKeys(runtime, instanceId, [older])).map(del) };
  }
}

/**
 * Deletes an instance and, when recursive, all below it; resolves with how many, once they are gone. `notice`,
 * if there is one, leaves with its commit.
 */
async function dropTree(
  runtime: Runtime,
  mailbox: Mailbox,
  extra: readonly StoreWrite[],
  recursive: boolean,
  notice?: Message,
): Promise<number> {
  const below: Promise<number>[] = [];
  const onDelivered = (purged: Promise<number>): void => {
    below.push(purged);
  };
  const children = recursive && mailbox.state !== undefined ? purgeChildren(mailbox.state) : [];
  const orders = children.map((order) => ({ order, onDelivered }));
  const messages = notice === undefined ? [] : [{ message: notice }];
  // The orders are delivered before the commit resolves.
  await drop(runtime, mailbox, extra, [...orders, ...messages]);
  const counts = await Promise.all(below);
  return counts.reduce((sum, count) => sum + count, 1);
}

/**
 * Ends all that goes on with an instance, and deletes it. `extra` writes go into the same commit, and what it
 * leaves behind for others.
 */
export function drop(
  runtime: Runtime,
  mailbox: Mailbox,
  extra: readonly StoreWrite[],
  postings: readonly Posting[] = [],
): Promise<void> {
  const { instanceId, turn } = mailbox;
  const worker = runtime.dispatch.workers.get(turn?.workerId ?? "");
  worker?.dropTurn(turn?.token ?? "");
  for (const holder of runtime.dispatch.workers.values()) {
    if (holder.cached.delete(instanceId)) holder.release(instanceId);
  }
  mailbox.turn = undefined;
  runtime.dequeue(mailbox);
  mailbox.purge(extra, postings);
  const committed = runtime.journal.commit(mailbox, true);
  mailbox.lastCommit = committed;
  runtime.dispatch.pump();
  return committed;
}

/**
 * Deletes every key of an instance that cannot be read any more; `extra` writes go into the same commit, and
 * `notices` leave with it. Resolves with 1: how many were deleted.
 */
async function purgeRemains(
  runtime: Runtime,
  instanceId: string,
  extra: readonly StoreWrite[],
  notices: readonly Message[] = [],
): Promise<1> {
  const keys = await keptKeys(runtime, instanceId, [
    instanceRange("history", instanceId),
    instanceRange("inbox", instanceId),
    kindRange("timer", partitionOf(instanceId)),
  ]);
  // What the row says of its entries cannot be believed.
  const indexed = await entriesOf(runtime.store, instanceId);
  const remains = [rowKey(instanceId), liveKey(instanceId), ...keys, ...indexed];
  const posted = notices.map((message) => {
    return { key: outboxKey(instanceId, runtime.nextOutboxSequence()), message };
  });
  const posting = posted.map(({ key, message }) => put(key, encodeMessage(message)));
  await write(runtime, [...remains.map(del), ...extra, ...posting], instanceId, () => {
    for (const message of posted) runtime.delivery.deliver(message);
  });
  return 1;
}

/** The keys of an instance in these ranges, and those of its older executions' rows. */
async function keptKeys(
  { store }: Runtime,
  instanceId: string,
  ranges: readonly KeyRange[],
): Promise<Uint8Array[]> {
  const older = [
    instanceRange("execution", instanceId),
    kindRange("ended", partitionOf(instanceId)),
  ];
  const entries = await Promise.all([...ranges, ...older].map((range) => store.range(range)));
  return entries
    .flat()
    .map(([key]) => key)
    .filter((key) => !isTimerKey(key) || parseTimerKey(key).instanceId === instanceId)
    .filter((key) => !isEndedKey(key) || parseEndedKey(key).instanceId === instanceId);
}

/** Writes what is no mailbox's; `changedId`: whose row it deletes, if any. `committed` is called once it is on disk. */
function write(
  runtime: Runtime,
  writes: readonly StoreWrite[],
  changedId?: string,
  committed: () => void = () => {},
): Promise<void> {
  const draft = (batch: StoreWrite[]): Drafted => {
    batch.push(...writes);
    return { changedId, isPurged: true, committed };
  };
  return runtime.journal.commit({ draft }, true);
}

function notFound(instanceId: string): EngineError {
  return new EngineError("INSTANCE_NOT_FOUND", `no such instance exists: '${instanceId}'`, {
    details: { instanceId },
  });
}

function rethrowUnlessDamage(error: unknown): undefined {
  if (!isDamage(error)) throw error;
}
