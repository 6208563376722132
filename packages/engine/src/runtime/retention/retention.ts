// SPDX-License-Identifier: Apache-2.0

import type { InstanceStatus } from "@pawl/protocol/port";
import { nothing } from "../../core/outcome.js";
import { isEngineError, isUnavailable } from "../../errors.js";
import type { RetentionOptions, RetentionPolicy } from "../../options.js";
import { decodeRow, type Row, rowStatus } from "../../store/codec.js";
import { indexedId, instantKey, secondOf, updatedAtOf } from "../../store/index/index-key.js";
import {
  type EndedKey,
  endedKey,
  endedRange,
  executionKey,
  kindPrefix,
  liveKey,
  parseEndedKey,
  partitions,
} from "../../store/key.js";
import { scan } from "../../store/scan.js";
import { del, type KeyRange } from "../../store/store.js";
import { readRow } from "../loader.js";
import type { Runtime } from "../runtime.js";
import { removingWrites } from "./older-executions.js";
import { removePresent } from "./remove-present.js";

/**
 * Instances that are deleted side by side, in one commit: so many that others, whose commits come in
 * between, hardly feel them.
 */
const parallel = 16;
const lastSecond = 2 ** 47;

/** Milliseconds for which an ended instance is kept; undefined: for ever (engine semantics 13.5). */
export function keptMs(
  options: RetentionOptions,
  workflow: string,
  status: InstanceStatus,
): number | undefined {
  const own = Object.hasOwn(options.byWorkflow ?? {}, workflow)
    ? options.byWorkflow?.[workflow]
    : undefined;
  return statusMs(own, status) ?? own?.anyMs ?? statusMs(options, status) ?? options.anyMs;
}

function statusMs(policy: RetentionPolicy | undefined, status: string): number | undefined {
  switch (status) {
    case "completed":
      return policy?.completedMs;
    case "failed":
      return policy?.failedMs;
    case "terminated":
      return policy?.terminatedMs;
    default:
      return undefined;
  }
}

/**
 * Deletes what has ended long enough ago. It goes through instances in the order of their last
 * change, once for each length that the options name, so that nothing is looked at twice before the
 * engine is opened again; by then other options may hold, and those count for all. An instance goes
 * within a second after its time is up, never before. Children have times of their own.
 */
export class Retention {
  readonly #runtime: Runtime;
  #options: RetentionOptions = {};
  /** For each length: the first second that has not been gone through. */
  #next: Map<number, number> = new Map();
  #cancel: () => void = () => {};
  #wakeAt = Number.POSITIVE_INFINITY;
  #sweeping = false;
  #swept: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#take(runtime.options.retention);
  }

  /** Other lengths hold from now on, also for what has ended before. */
  change(options: RetentionOptions): void {
    this.#take(options);
    this.#cancel();
    this.#wakeAt = Number.POSITIVE_INFINITY;
    // One that is under way looks at all lengths again when it is done.
    this.open();
  }

  #take(options: RetentionOptions): void {
    this.#options = options;
    const policies = [options, ...Object.values(options.byWorkflow ?? {})];
    const lengths = policies.flatMap(({ completedMs, failedMs, terminatedMs, anyMs }) =>
      [completedMs, failedMs, terminatedMs, anyMs].filter((length) => length !== undefined),
    );
    this.#next = new Map(lengths.map((length) => [length, 0]));
  }

  /** Begins: what is due already goes at once. */
  open(): void {
    if (this.#next.size > 0) this.#arm(this.#runtime.now());
  }

  /** True while instances are being deleted, or looked for. */
  isBusy(): boolean {
    return this.#sweeping;
  }

  /** Nothing is deleted any more; resolves when what is under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#swept;
  }

  /** An instance has ended, or has nothing left to run after its end. */
  ended(row: Row): void {
    const length = this.#lengthOf(row);
    if (length === undefined) return;
    // It is looked for by its last change, as an older execution by its end: on a clock that was set back, the
    // earlier of the two.
    const second = secondOf(Math.min(updatedAtOf(row), row.completedAt));
    if (second < (this.#next.get(length) ?? 0)) this.#next.set(length, second);
    this.#arm(dueAt(second, length));
  }

  #lengthOf(row: Row): number | undefined {
    return keptMs(this.#options, row.workflow, rowStatus(row));
  }

  #arm(at: number): void {
    if (this.#closed || this.#sweeping || at >= this.#wakeAt) return;
    this.#cancel();
    this.#wakeAt = at;
    this.#cancel = this.#runtime.options.clock.setTimer(at, () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#sweeping = true;
      this.#swept = this.#run().catch((error: unknown) => {
        this.#runtime.failed(error, "what has ended cannot be deleted");
      });
    });
  }

  async #run(): Promise<void> {
    try {
      await this.#sweep();
    } finally {
      this.#sweeping = false;
    }
    await this.#rearm();
  }

  async #sweep(): Promise<void> {
    const next = this.#next;
    // The same for all: what a clock that is set back meanwhile would spare is not looked at again.
    const now = this.#runtime.now();
    for (const [length, from] of next) {
      const before = secondOf(now - length);
      if (before <= from) continue;
      // First: what ends from now on counts by itself.
      next.set(length, before);
      for (const partition of partitions) {
        if (this.#closed) return;
        await this.#each(updatedRange(partition, from, before), async (key) => {
          const instanceId = indexedId("updated", key);
          const looked = this.#lookAtInstance(instanceId, length, now);
          await looked.catch((error: unknown) => this.#passOver(instanceId, error));
        });
        await this.#each(endedRange(partition, from, before), async (key) => {
          const ended = parseEndedKey(key);
          const looked = this.#lookAtExecution(ended, length, now);
          await looked.catch((error: unknown) => this.#passOver(ended.instanceId, error));
        });
      }
    }
  }

  async #each(
    range: Pick<KeyRange, "gte" | "lt">,
    look: (key: Uint8Array) => Promise<void>,
  ): Promise<void> {
    for await (const entries of scan(this.#runtime.store, range)) {
      for (let at = 0; at < entries.length && !this.#closed; at += parallel) {
        await Promise.all(entries.slice(at, at + parallel).map(([key]) => look(key)));
      }
    }
  }

  /** Deletes an instance whose time of this length is up. */
  async #lookAtInstance(instanceId: string, length: number, now: number): Promise<void> {
    const { store } = this.#runtime;
    const row = await readRow(store, instanceId);
    if (row === undefined || !this.#isDue(row, length, now)) return;
    // Activities that it did not wait for run first; it is told when they have.
    if ((await store.get(liveKey(instanceId))) !== undefined) return;
    await removePresent(this.#runtime, instanceId, row, (older) => !this.#isOver(older, now));
  }

  /** Deletes an older execution whose time of this length is up. */
  async #lookAtExecution(ended: EndedKey, length: number, now: number): Promise<void> {
    const { store, mailboxes } = this.#runtime;
    const { instanceId, generation } = ended;
    for (let isDone = false; !isDone; ) {
      const live = mailboxes.peek(instanceId);
      const present = live === undefined ? await readRow(store, instanceId) : live.state;
      const value = await store.get(executionKey(instanceId, generation));
      const row = value && decodeRow(value);
      if (row !== undefined && !this.#isDue(row, length, now)) return;
      const writes = row === undefined ? [del(endedKey(ended))] : removingWrites(instanceId, row);
      isDone = await mailboxes.run(instanceId, async (mailbox) => {
        // An id that is purged and used again counts its executions anew: what was read may be of before.
        if (mailbox.state?.executionId !== present?.executionId) return false;
        await this.#runtime.apply(mailbox, nothing, writes);
        return true;
      });
    }
  }

  /** One that is damaged stays, and is found by verify; one whose id is used again is no affair. */
  #passOver(instanceId: string, error: unknown): void {
    if (!isEngineError(error) || isUnavailable(error)) throw error;
    if (error.code === "INSTANCE_EXISTS") return;
    const { logger } = this.#runtime.options;
    logger.warn({ instanceId, reason: error.message }, "an ended instance cannot be deleted");
  }

  #isDue(row: Row, length: number, now: number): boolean {
    return this.#lengthOf(row) === length && this.#isOver(row, now);
  }

  /** The time of an ended execution is up. */
  #isOver(row: Row, now: number): boolean {
    const length = this.#lengthOf(row);
    if (row.completedAt === 0 || length === undefined) return false;
    return row.completedAt + length <= now;
  }

  /** Wakes when the next second of any length is over. */
  async #rearm(): Promise<void> {
    for (const [length, from] of this.#next) {
      if (this.#closed) return;
      await Promise.all(partitions.map((partition) => this.#rearmIn(partition, length, from)));
    }
  }

  async #rearmIn(partition: number, length: number, from: number): Promise<void> {
    const [[updated], [ended]] = await Promise.all([
      this.#first(updatedRange(partition, from, lastSecond)),
      this.#first(endedRange(partition, from, lastSecond)),
    ]);
    if (updated !== undefined) this.#arm(dueAt(updatedSecond(updated[0]), length));
    if (ended !== undefined) this.#arm(dueAt(parseEndedKey(ended[0]).second, length));
  }

  #first(range: Pick<KeyRange, "gte" | "lt">): ReturnType<Runtime["store"]["range"]> {
    return this.#runtime.store.range({ ...range, limit: 1 });
  }
}

/** The instant by which everything of a second has been kept for a length. */
function dueAt(second: number, length: number): number {
  return (second + 1) * 1000 + length;
}

function updatedRange(
  partition: number,
  from: number,
  before: number,
): { gte: Buffer; lt: Buffer } {
  const prefix = kindPrefix("updated", partition);
  return {
    gte: Buffer.concat([prefix, instantKey(from)]),
    lt: Buffer.concat([prefix, instantKey(before)]),
  };
}

function updatedSecond(key: Uint8Array): number {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).readUIntBE(3, 6);
}
