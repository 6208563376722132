// SPDX-License-Identifier: Apache-2.0

import TinyQueue from "tinyqueue";
import { isBefore, type Place, type Reading, type Stream } from "./stream.js";

/** Streams that are read side by side. */
const parallel = 256;
/** The same of streams that only have said so far how far they have nothing. */
const hollowAtOnce = 16;

/** The places of several streams in one order, as if they were one. */
export class Union implements Stream {
  readonly #reading: Reading;
  readonly #streams: readonly Stream[];
  #queue: TinyQueue<Stream>;
  #isOpen = false;

  constructor(reading: Reading, streams: readonly Stream[]) {
    this.#reading = reading;
    this.#streams = streams;
    this.#queue = this.#queueOf([]);
  }

  get head(): Place | undefined {
    return this.#queue.peek()?.head;
  }

  async seek(position?: Buffer): Promise<void> {
    const behind = this.#isOpen
      ? this.#streams.filter(({ head }) => head !== undefined && this.#isBehind(head, position))
      : this.#streams;
    this.#isOpen = true;
    for (let at = 0; at < behind.length; at += parallel) {
      await Promise.all(behind.slice(at, at + parallel).map((stream) => stream.seek(position)));
    }
    this.#queue = this.#queueOf(this.#streams.filter(({ head }) => head !== undefined));
  }

  async next(): Promise<void> {
    const passed: Stream[] = [];
    do {
      const first = this.#queue.pop();
      if (first !== undefined) passed.push(first);
      // As long as they are hollow, the next place is beyond all of them.
    } while (passed.at(-1)?.head?.isHollow && passed.length < hollowAtOnce && this.head?.isHollow);
    await Promise.all(passed.map((stream) => stream.next()));
    for (const stream of passed) if (stream.head !== undefined) this.#queue.push(stream);
  }

  #isBehind({ position }: Place, wanted: Buffer | undefined): boolean {
    return wanted !== undefined && isBefore(this.#reading, position, wanted);
  }

  #queueOf(streams: Stream[]): TinyQueue<Stream> {
    const sign = this.#reading.descending ? -1 : 1;
    return new TinyQueue(streams, (a, b) => sign * compare(a.head, b.head));
  }
}

function compare(a: Place | undefined, b: Place | undefined): number {
  return a === undefined || b === undefined ? 0 : Buffer.compare(a.position, b.position);
}
