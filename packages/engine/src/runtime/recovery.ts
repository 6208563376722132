// SPDX-License-Identifier: Apache-2.0

import { nothing } from "../core/outcome.js";
import { resultKey } from "../core/resolution-key.js";
import { hasWorkAtHand } from "../core/status.js";
import { isEngineError } from "../errors.js";
import { decodeMessage } from "../store/codec.js";
import { openRange } from "../store/index/index-key.js";
import { instanceIdOf, kindRange, partitions, sequenceOf } from "../store/key.js";
import type { Entry, StoreReader } from "../store/store.js";
import type { Posted } from "./commit/effects.js";
import type { Runtime } from "./runtime.js";
import { mend } from "./salvage/mend.js";

/** Instances that are read side by side: what they read of the store is read together. */
const parallel = 512;

/** What a recovery found. */
export interface Recovered {
  readonly instances: number;
  readonly messages: number;
  /** Instances that are damaged: they are parked, the others are served. */
  readonly damaged: number;
  /** There is something that has not ended, with work at hand or without. */
  readonly hasOpen: boolean;
}

/**
 * Takes up all work that was not finished: turns and activities of instances with work at hand,
 * messages on their way, timers. Costs in proportion to that work, not to what is stored.
 */
export async function recover(runtime: Runtime): Promise<Recovered> {
  const mended = await mend(runtime.store, runtime.now());
  if (mended !== undefined) {
    runtime.options.logger.error({ ...mended }, "a salvaged store was gone through");
  }
  await runtime.changes.open();
  const { posted, unreadable } = await readOutbox(runtime);
  let instances = 0;
  let damaged = unreadable;
  for (const marks of await readPartitions(runtime.store, "live")) {
    const ids = marks.map(([key]) => instanceIdOf(key));
    instances += ids.length;
    for (let at = 0; at < ids.length; at += parallel) {
      const taken = ids.slice(at, at + parallel).map((id) => takeUp(runtime, id));
      damaged += (await Promise.all(taken)).filter((intact) => !intact).length;
    }
  }
  for (const message of posted) runtime.deliver(message);
  await runtime.timers.open();
  const messages = posted.length;
  const hasOpen = instances + messages > 0 || (await hasOpenInstance(runtime.store));
  return { instances, messages, damaged, hasOpen };
}

async function hasOpenInstance(store: StoreReader): Promise<boolean> {
  const first = partitions.map((partition) => store.range({ ...openRange(partition), limit: 1 }));
  return (await Promise.all(first)).some((entries) => entries.length > 0);
}

/** All entries of a kind, by partition; the partitions are read side by side. */
function readPartitions(store: StoreReader, kind: "live" | "outbox"): Promise<Entry[][]> {
  return Promise.all(partitions.map((partition) => store.range(kindRange(kind, partition))));
}

/** The messages on their way. One that cannot be read stays where it is. */
async function readOutbox(runtime: Runtime): Promise<{ posted: Posted[]; unreadable: number }> {
  const posted: Posted[] = [];
  let unreadable = 0;
  for (const messages of await readPartitions(runtime.store, "outbox")) {
    for (const [key, value] of messages) {
      runtime.skipOutboxSequence(sequenceOf(key));
      try {
        posted.push({ key, message: decodeMessage(value) });
      } catch (error) {
        park(runtime, instanceIdOf(key, 4), error, "a message is damaged and was parked");
        unreadable += 1;
      }
    }
  }
  return { posted, unreadable };
}

/** Logs damage. @throws whatever else it is */
function park(runtime: Runtime, instanceId: string, error: unknown, message: string): void {
  if (!isEngineError(error) || error.code !== "INSTANCE_DAMAGED") throw error;
  runtime.options.logger.error({ instanceId, reason: error.message }, message);
}

/** False when the instance is damaged. */
async function takeUp(runtime: Runtime, instanceId: string): Promise<boolean> {
  try {
    await runtime.mailboxes.run(instanceId, (mailbox) => {
      const { state } = mailbox;
      for (const task of [...(state?.fold.tasks.values() ?? [])]) {
        // A result that waits in the inbox needs no second run.
        if (state === undefined || state.arrived.has(resultKey("task", task.taskId))) continue;
        runtime.desk.schedule(mailbox, { executionId: state.executionId, task });
      }
      runtime.wake(mailbox);
      // An older version may have left the mark on what has nothing to do.
      if (state === undefined || hasWorkAtHand(state, runtime.now())) return undefined;
      return runtime.apply(mailbox, { ...nothing });
    });
    return true;
  } catch (error) {
    park(runtime, instanceId, error, "an instance is damaged and was parked");
    return false;
  }
}
