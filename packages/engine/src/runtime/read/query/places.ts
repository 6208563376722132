// SPDX-License-Identifier: Apache-2.0

import type { StoreReader } from "../../../store/store.js";
import { Intersection } from "./intersection.js";
import type { Plan, Run } from "./plan.js";
import { Cursor, type Place, type Reading, type Stream } from "./stream.js";
import { Union } from "./union.js";

/** Reads of indexes that one page makes, at most, beside the first of each stretch. */
const readLimit = 2000;

/** Which places of a plan are wanted. */
export interface PlacesOptions {
  readonly descending: boolean;
  /** Go on after this position. */
  readonly after: Buffer | undefined;
  /** How many will be needed, about. */
  readonly pageSize: number;
}

/** The places of a plan, over all partitions, in its order. */
export class Places {
  readonly #reading: Reading;
  readonly #stream: Stream;
  /** Reads that it took to begin. */
  #begun = 0;

  constructor(store: StoreReader, { parts }: Plan, { pageSize, ...options }: PlacesOptions) {
    const stretches = parts.reduce((count, [first = []]) => count + first.length, 0);
    const expected = Math.ceil(pageSize / Math.max(stretches, 1)) + 1;
    this.#reading = { store, ...options, expected, meter: { reads: 0 } };
    this.#stream = this.#union(parts.flatMap((legs) => this.#streamsOf(legs)));
  }

  /** Goes to the first place. */
  async open(): Promise<void> {
    await this.#stream.seek();
    this.#begun = this.#reading.meter.reads;
  }

  /** The next places, at most so many; fewer at the end, and when enough was read for one page. */
  async take(count: number): Promise<Place[]> {
    const taken: Place[] = [];
    while (taken.length < count && this.#stream.head !== undefined) {
      taken.push(this.#stream.head);
      await this.#stream.next();
      if (this.isSpent()) break;
    }
    return taken;
  }

  /** True when there is nothing more. */
  isAtEnd(): boolean {
    return this.#stream.head === undefined;
  }

  /** True when so much was read that a page may not read more. */
  isSpent(): boolean {
    return this.#reading.meter.reads - this.#begun >= readLimit;
  }

  /** What one partition has. Of one leg, the runs of all partitions stand side by side. */
  #streamsOf(legs: readonly (readonly Run[])[]): Stream[] {
    const cursors = legs.map((leg) => leg.map((run) => new Cursor(this.#reading, run)));
    const [first = [], ...others] = cursors;
    if (others.length === 0) return first;
    const unions = others.map((other) => this.#union(other));
    return [new Intersection(this.#reading, this.#union(first), unions)];
  }

  #union(streams: readonly Stream[]): Stream {
    const [only] = streams;
    return only !== undefined && streams.length === 1 ? only : new Union(this.#reading, streams);
  }
}
