// SPDX-License-Identifier: Apache-2.0

import { crc32 } from "node:zlib";
import {
  isFirstChunk,
  readStoredKey,
  readStoredRow,
  type StoredRow,
  type StoreWrite,
} from "@pawl/engine/testing";
import type { Scheduler } from "./scheduler.ts";
import { SortedEntries, textOf } from "./sorted-entries.ts";

/** A row as it was on disk from some step on. */
interface RowVersion {
  /** The step at which the engine could know that it is on disk. */
  knownAt: number;
  readonly value: Uint8Array | undefined;
  row?: StoredRow;
}

/** What the callers and workers of a simulation call by a name of its own: "~name~". */
const tokenPattern = /~[\w.#-]+~/g;

/**
 * What is durable, over all lives: the entries, every row that there was and when, and every token
 * that was ever written.
 */
export class Disk {
  readonly #scheduler: Scheduler;
  readonly entries = new SortedEntries();
  readonly #tokens = new Set<string>();
  readonly #rows = new Map<string, RowVersion[]>();
  readonly #unknown: RowVersion[] = [];
  /** Instances that were written since the store was last looked at. */
  #changed = new Set<string>();
  readonly #onGone: (instanceId: string, row: StoredRow) => void;
  readonly #onRow: (instanceId: string) => void;
  /** The steps of the newest batches. */
  readonly #batchSteps: number[] = [];
  /** Of each instance that ever was: the chunks of each of its histories, oldest first. */
  readonly #histories = new Map<string, Uint8Array[][]>();
  #batches = 0;
  #timers = 0;
  /** What no engine should have written. */
  readonly faults: string[] = [];

  /** `onGone` is called with the last row of an instance when that is deleted, `onRow` with each new one. */
  constructor(
    scheduler: Scheduler,
    onGone: (instanceId: string, row: StoredRow) => void,
    onRow: (instanceId: string) => void,
  ) {
    this.#scheduler = scheduler;
    this.#onGone = onGone;
    this.#onRow = onRow;
  }

  /** Batches so far. */
  get batchCount(): number {
    return this.#batches;
  }

  /** Writes a batch. */
  apply(batch: readonly StoreWrite[]): void {
    this.answered();
    this.#batches += 1;
    this.#batchSteps.push(this.#scheduler.steps);
    const lines: string[] = [];
    for (const write of batch) {
      const { kind, instanceId } = readStoredKey(write.key);
      const sum = write.type === "put" ? crc32(write.value, crc32(write.key)).toString(16) : "-";
      lines.push(`${kind} ${instanceId} ${sum}`);
      if (instanceId !== "") this.#changed.add(instanceId);
      if (kind === "row") this.#noteRow(instanceId, write.type === "put" ? write.value : undefined);
      else if (kind === "history" && write.type === "put") this.#noteChunk(instanceId, write);
      if (write.type === "put") this.#put(write.key, write.value, kind);
      else this.#delete(write.key, kind);
    }
    this.#scheduler.trace.note(`  batch ${this.#batches}: ${lines.join(", ")}`);
  }

  /** The instances that were written since this was last asked. */
  takeChanged(): ReadonlySet<string> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  /** The engine hears of the newest batch. */
  answered(): void {
    for (const version of this.#unknown.splice(0)) version.knownAt = this.#scheduler.steps;
  }

  /** The step of the batch before the newest by so many; 0: there is none. */
  stepOf(batchesAgo: number): number {
    return this.#batchSteps.at(-1 - batchesAgo) ?? 0;
  }

  /** True when the token was ever part of a durable value. */
  hasToken(token: string): boolean {
    return this.#tokens.has(token);
  }

  /** Ids that there are, or were. */
  ids(): string[] {
    return [...this.#rows.keys()];
  }

  /** True when some instance has not ended. */
  hasOpen(): boolean {
    return this.ids().some((id) => this.row(id)?.completedAt === 0);
  }

  /** The row of an instance as it is now. */
  row(instanceId: string): StoredRow | undefined {
    return decode(this.#rows.get(instanceId)?.at(-1));
  }

  /** Timers that are to fire. */
  get timerCount(): number {
    return this.#timers;
  }

  /** The rows that an instance had from a step on, first the one that was known at that step. */
  rowsSince(instanceId: string, step: number): (StoredRow | undefined)[] {
    const versions = this.#rows.get(instanceId) ?? [];
    let first = versions.length;
    while (first > 0 && (versions[first - 1]?.knownAt ?? 0) > step) first -= 1;
    const before = first === 0 ? [undefined] : [decode(versions[first - 1])];
    return [...before, ...versions.slice(first).map(decode)];
  }

  /** Every row that an instance had. */
  allRows(instanceId: string): (StoredRow | undefined)[] {
    return (this.#rows.get(instanceId) ?? []).map(decode);
  }

  /** The histories that an instance had, each as its chunks; also those that are gone. */
  histories(instanceId: string): readonly (readonly Uint8Array[])[] {
    return this.#histories.get(instanceId) ?? [];
  }

  #noteChunk(instanceId: string, { key, value }: { key: Uint8Array; value: Uint8Array }): void {
    const histories = this.#histories.get(instanceId) ?? [];
    if (isFirstChunk(key)) histories.push([]);
    histories.at(-1)?.push(value);
    this.#histories.set(instanceId, histories);
  }

  #noteRow(instanceId: string, value: Uint8Array | undefined): void {
    const versions = this.#rows.get(instanceId) ?? [];
    const before = value === undefined ? decode(versions.at(-1)) : undefined;
    if (before !== undefined) this.#onGone(instanceId, before);
    const version = { knownAt: Number.POSITIVE_INFINITY, value };
    versions.push(version);
    this.#unknown.push(version);
    this.#rows.set(instanceId, versions);
    this.#onRow(instanceId);
  }

  #put(key: Uint8Array, value: Uint8Array, kind: string): void {
    if (this.entries.put(key, value) && kind === "timer") this.#timers += 1;
    if (value.length === 0) return;
    for (const [token] of textOf(value).matchAll(tokenPattern)) this.#tokens.add(token);
  }

  #delete(key: Uint8Array, kind: string): void {
    if (this.entries.delete(key)) {
      if (kind === "timer") this.#timers -= 1;
    } else if (kind === "outbox") {
      // A message that was never durable has been delivered, or one was delivered twice.
      this.faults.push("a message was taken that was not on disk");
    }
  }
}

function decode(version: RowVersion | undefined): StoredRow | undefined {
  if (version?.value === undefined) return undefined;
  version.row ??= readStoredRow(version.value);
  return version.row;
}
