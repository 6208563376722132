// SPDX-License-Identifier: Apache-2.0

import { nothing } from "../core/outcome.js";
import { resultKey } from "../core/resolution-key.js";
import { hasWorkAtHand } from "../core/status.js";
import { decodeMessage } from "../store/codec.js";
import { isDamage } from "../store/damaged.js";
import { openRange } from "../store/index/index-key.js";
import { instanceIdOf, kindRange, partitions, sequenceOf } from "../store/key.js";
import type { Entry, StoreReader } from "../store/store.js";
import type { Posted } from "./commit/effects.js";
import type { Mailbox } from "./mailbox.js";
import type { Runtime } from "./runtime.js";
import { mend } from "./salvage/mend.js";

/**
 * Instances that are read side by side: what they read of the store is read together. Few enough for
 * callers, who are served meanwhile, not to feel it.
 */
const parallel = 128;

/**
 * Takes up all work that was not finished: turns and activities of instances with work at hand,
 * messages on their way, timers. Costs in proportion to that work, not to what is stored.
 *
 * Callers need not wait until all of it is taken up: an instance that comes into memory, whoever asks for
 * it, is taken up before anybody sees it, and once.
 */
export class Recovery {
  readonly #runtime: Runtime;
  /** Instances with work at hand that have not been taken up. */
  readonly #waiting = new Set<string>();
  #instances = 0;
  #messages = 0;
  /** Instances that are damaged: they are parked, the others are served. */
  #damaged = 0;
  #closed = false;
  #takenUp: Promise<void> = Promise.resolve();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * Finds what is unfinished, sends messages on their way and arms timers. Gives whether there is anything
   * that has not ended, with work at hand or without.
   */
  async open(): Promise<boolean> {
    const runtime = this.#runtime;
    const mended = await mend(runtime.store, runtime.now());
    if (mended !== undefined) {
      runtime.options.logger.error({ ...mended }, "a salvaged store was gone through");
    }
    await runtime.changes.open();
    const { posted, unreadable } = await readOutbox(runtime);
    const marks = (await readPartitions(runtime.store, "live")).flat();
    for (const [key] of marks) this.#waiting.add(instanceIdOf(key));
    this.#instances = marks.length;
    this.#messages = posted.length;
    this.#damaged = unreadable;
    runtime.mailboxes.onLoaded = (mailbox) => {
      if (this.#waiting.delete(mailbox.instanceId)) takeUp(runtime, mailbox);
    };
    for (const message of posted) runtime.delivery.deliver(message);
    await runtime.timers.open();
    return this.#instances + this.#messages > 0 || hasOpenInstance(runtime.store);
  }

  /** Takes up what nobody has asked for yet. @throws STORE_UNAVAILABLE */
  takeUp(): Promise<void> {
    this.#takenUp = this.#takeUpAll();
    return this.#takenUp;
  }

  /** Nothing more is taken up; resolves when nothing is being read. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#takenUp.catch(() => {});
  }

  async #takeUpAll(): Promise<void> {
    const ids = [...this.#waiting];
    for (let at = 0; at < ids.length && !this.#closed; at += parallel) {
      await Promise.all(ids.slice(at, at + parallel).map((id) => this.#load(id)));
    }
    const { logger } = this.#runtime.options;
    const [instances, messages, damaged] = [this.#instances, this.#messages, this.#damaged];
    if (instances + messages === 0 || this.#closed) return;
    logger.info({ instances, messages, damaged }, "unfinished work taken up");
  }

  async #load(instanceId: string): Promise<void> {
    if (!this.#waiting.has(instanceId)) return;
    try {
      await this.#runtime.mailboxes.run(instanceId, () => {});
    } catch (error) {
      if (this.#closed) return;
      park(this.#runtime, instanceId, error, "an instance is damaged and was parked");
      this.#damaged += 1;
    }
  }
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
        const message = decodeMessage(value);
        posted.push("record" in message ? { key, message } : { key, order: message });
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
  if (!isDamage(error)) throw error;
  runtime.options.logger.error({ instanceId, reason: error.message }, message);
}

/** Hands out what an instance that has been read has at hand. */
function takeUp(runtime: Runtime, mailbox: Mailbox): void {
  const { state } = mailbox;
  for (const task of [...(state?.fold.tasks.values() ?? [])]) {
    // A result that waits in the inbox needs no second run.
    if (state === undefined || state.arrived.has(resultKey("task", task.taskId))) continue;
    runtime.desk.schedule(mailbox, { executionId: state.executionId, task });
  }
  runtime.wake(mailbox);
  if (state === undefined || hasWorkAtHand(state, runtime.now())) return;
  // An older version may have left the mark on what has nothing to do. A failed write is the journal's affair.
  runtime.apply(mailbox, { ...nothing }).catch(() => {});
}
