// SPDX-License-Identifier: Apache-2.0

import { hollow, isBefore, type Place, type Reading, type Stream } from "./stream.js";

/**
 * The places that several streams have in common. Each leaps to where the other is, so that it costs
 * about what the shortest has, whatever the others have. After each leap it is told how far there is
 * nothing: partitions that are further on than the others need not leap yet.
 */
export class Intersection implements Stream {
  readonly #reading: Reading;
  readonly #first: Stream;
  readonly #others: readonly Stream[];
  readonly #open = new Set<Stream>();
  /** The first is at a place that has not been looked at. */
  #isAhead = false;
  head: Place | undefined;

  constructor(reading: Reading, first: Stream, others: readonly Stream[]) {
    this.#reading = reading;
    this.#first = first;
    this.#others = others;
  }

  async seek(position?: Buffer): Promise<void> {
    await this.#first.seek(position);
    await this.#settle();
  }

  async next(): Promise<void> {
    if (!this.#isAhead) await this.#first.next();
    await this.#settle();
  }

  async #settle(): Promise<void> {
    this.#isAhead = false;
    const wanted = this.#first.head;
    this.head = wanted;
    // What the first does not have need not be asked of the others.
    if (wanted === undefined || wanted.isHollow) return;
    const further = await this.#furtherThan(wanted.position);
    if (further === undefined) return;
    this.head = further === "end" ? undefined : hollow(wanted.position);
    if (further === "end") return;
    await this.#first.seek(further);
    this.#isAhead = true;
  }

  /** Where one of the others goes on that lacks this position; undefined when all have it. */
  async #furtherThan(position: Buffer): Promise<Buffer | "end" | undefined> {
    for (const stream of this.#others) {
      const isBehind = stream.head !== undefined && this.#isBefore(stream.head.position, position);
      if (!this.#open.has(stream) || isBehind) await stream.seek(position);
      this.#open.add(stream);
      while (stream.head?.isHollow && !this.#isBefore(position, stream.head.position)) {
        await stream.next();
      }
      if (stream.head === undefined) return "end";
      if (!stream.head.position.equals(position)) return stream.head.position;
    }
    return undefined;
  }

  #isBefore(a: Buffer, b: Buffer): boolean {
    return isBefore(this.#reading, a, b);
  }
}
