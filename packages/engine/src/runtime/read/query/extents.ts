// SPDX-License-Identifier: Apache-2.0

import { type StatusEntry, statusEntryOf } from "../../../store/index/index-key.js";
import { kindPrefix, kindRange, partitions } from "../../../store/key.js";
import type { KeyRange, Store, StoreReader, StoreWrite } from "../../../store/store.js";

/** Instants of creation, in milliseconds: of all that is in a stretch of an index, and maybe some more. */
export interface Extent {
  readonly first: number;
  readonly last: number;
}

/** What is known of the stretches of the index by status; undefined: nothing is in it. */
export type ExtentOf = (partition: number, status: number) => Extent | undefined;

/**
 * Between which instants the instances of each status, in each partition, were created. A list in the
 * order of creation need not look into a stretch before it comes to its instants, nor ever into an
 * empty one. Learnt from the store when it is first asked for, and widened by every write since; what
 * is deleted does not make an extent smaller.
 */
export class Extents {
  readonly #store: Store;
  readonly #written = new Map<number, Extent>();
  #learnt: Promise<ReadonlyMap<number, Extent>> | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Writes a batch to the store. All that changes instances has to come this way. */
  write(batch: readonly StoreWrite[]): Promise<void> {
    for (const { type, key } of batch) {
      const entry = type === "put" ? statusEntryOf(key) : undefined;
      if (entry !== undefined) this.#widen(entry);
    }
    return this.#store.write(batch);
  }

  /**
   * The extents. They are wide enough for moments of the store that are taken from now on: what one
   * from before still has may have been deleted since, and not be known.
   */
  async read(): Promise<ExtentOf> {
    this.#learnt ??= learn(this.#store);
    try {
      const learnt = await this.#learnt;
      return (partition, status) => {
        const stretch = stretchOf(partition, status);
        return hull(learnt.get(stretch), this.#written.get(stretch));
      };
    } catch (error) {
      // The next list tries again.
      this.#learnt = undefined;
      throw error;
    }
  }

  #widen({ partition, status, createdAt }: StatusEntry): void {
    const stretch = stretchOf(partition, status);
    const known = this.#written.get(stretch);
    if (known !== undefined && createdAt >= known.first && createdAt <= known.last) return;
    const extent = hull(known, { first: createdAt, last: createdAt });
    if (extent !== undefined) this.#written.set(stretch, extent);
  }
}

function stretchOf(partition: number, status: number): number {
  return partition * 256 + status;
}

function hull(a: Extent | undefined, b: Extent | undefined): Extent | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return { first: Math.min(a.first, b.first), last: Math.max(a.last, b.last) };
}

async function learn(store: StoreReader): Promise<ReadonlyMap<number, Extent>> {
  const extents = new Map<number, Extent>();
  const learnPartition = async (partition: number): Promise<void> => {
    let { gte, lt } = kindRange("status", partition);
    for (;;) {
      const first = await entryIn(store, { gte, lt });
      if (first === undefined) return;
      const { status } = first;
      const prefix = kindPrefix("status", partition);
      const stretch = {
        gte: Buffer.concat([prefix, Buffer.from([status])]),
        lt: Buffer.concat([prefix, Buffer.from([status + 1])]),
      };
      const last = await entryIn(store, { ...stretch, reverse: true });
      const extent = { first: first.createdAt, last: (last ?? first).createdAt };
      extents.set(stretchOf(partition, status), extent);
      gte = stretch.lt;
    }
  };
  await Promise.all(partitions.map(learnPartition));
  return extents;
}

async function entryIn(store: StoreReader, range: KeyRange): Promise<StatusEntry | undefined> {
  const [entry] = await store.range({ ...range, limit: 1 });
  return entry && statusEntryOf(entry[0]);
}
