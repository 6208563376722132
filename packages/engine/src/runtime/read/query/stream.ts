// SPDX-License-Identifier: Apache-2.0

import { instantBytes } from "../../../store/index/index-key.js";
import type { Entry, StoreReader } from "../../../store/store.js";
import type { Run } from "./plan.js";

/** Entries of one run that are read at a time, at most. */
const maxPiece = 256;
/** The same after a leap: what follows may be leapt over, too. */
const leapPiece = 4;

/** A place in an order: what follows the prefix of a run, up to and with the id. */
export interface Place {
  readonly position: Buffer;
  /** What the key has; of interest for rows. */
  readonly value: Uint8Array;
  /** No entry is here: it only says that there is none up to this place. */
  readonly isHollow: boolean;
}

/** Places in their order. Begins with `seek`; neither method goes back. */
export interface Stream {
  /** Where it is; undefined at the end. */
  readonly head: Place | undefined;
  /** Goes to this position or the next after it; without one, to the first. */
  seek(position?: Buffer): Promise<void>;
  /** Goes on by one. */
  next(): Promise<void>;
}

/** How a list is read. */
export interface Reading {
  readonly store: StoreReader;
  readonly descending: boolean;
  /** Go on after this position. */
  readonly after: Buffer | undefined;
  /** Entries of one run that will be needed, about. */
  readonly expected: number;
  /** Counts reads of the store. */
  readonly meter: { reads: number };
}

/** True when a position comes before another in the order of a reading. */
export function isBefore(
  { descending }: Pick<Reading, "descending">,
  a: Buffer,
  b: Buffer,
): boolean {
  return descending ? Buffer.compare(a, b) > 0 : Buffer.compare(a, b) < 0;
}

const noValue = new Uint8Array();

/** A place with nothing at it. */
export function hollow(position: Buffer): Place {
  return { position, value: noValue, isHollow: true };
}

/** What follows a position in keys is more than this: ids have no control characters. */
const afterId = Buffer.from([1]);

/** The entries of one run. */
export class Cursor implements Stream {
  readonly #reading: Reading;
  readonly #run: Run;
  #gte: Uint8Array;
  #lt: Uint8Array;
  #piece: number;
  #entries: readonly Entry[] = [];
  #at = 0;
  #isLast = false;
  head: Place | undefined;

  constructor(reading: Reading, run: Run) {
    const { descending, after, expected } = reading;
    this.#reading = reading;
    this.#run = run;
    this.#piece = Math.min(expected, maxPiece);
    this.#gte = Buffer.concat([run.prefix, run.low]);
    this.#lt = run.end;
    if (after === undefined) return;
    if (descending) this.#lt = least(this.#lt, this.#keyOf(after));
    else this.#gte = most(this.#gte, this.#keyOf(after, afterId));
  }

  async seek(position?: Buffer): Promise<void> {
    if (position === undefined) return this.next();
    while (this.#at < this.#entries.length) {
      const place = this.#place();
      if (place !== undefined && !isBefore(this.#reading, place.position, position)) {
        this.head = place;
        return;
      }
    }
    if (this.#reading.descending) this.#lt = least(this.#lt, this.#keyOf(position, afterId));
    else this.#gte = most(this.#gte, this.#keyOf(position));
    this.#piece = Math.min(this.#piece, leapPiece);
    await this.next();
  }

  async next(): Promise<void> {
    if (this.#at >= this.#entries.length) await this.#read();
    this.head = undefined;
    while (this.#at < this.#entries.length) {
      this.head = this.#place();
      if (this.head !== undefined) return;
    }
    const last = this.#entries.at(-1);
    if (last !== undefined) this.head = hollow(this.#positionOf(last[0]));
  }

  /** Takes the next entry that was read; undefined when it is of another workflow. */
  #place(): Place | undefined {
    const entry = this.#entries[this.#at];
    this.#at += 1;
    if (entry === undefined) return undefined;
    const [key, value] = entry;
    const position = this.#positionOf(key);
    const { workflows } = this.#run;
    if (workflows !== undefined) {
      const workflow = key.subarray(this.#run.prefix.length + position.length);
      if (!workflows.some((one) => one.equals(workflow))) return undefined;
    }
    return { position, value, isHollow: false };
  }

  #positionOf(key: Uint8Array): Buffer {
    const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
    const position = bytes.subarray(this.#run.prefix.length);
    if (!this.#run.isSuffixed) return position;
    return position.subarray(0, position.indexOf(0, instantBytes));
  }

  #keyOf(position: Buffer, ...rest: Buffer[]): Buffer {
    return Buffer.concat([this.#run.prefix, position, ...rest]);
  }

  async #read(): Promise<void> {
    this.#at = 0;
    this.#entries = [];
    if (this.#isLast || Buffer.compare(this.#gte, this.#lt) >= 0) return;
    const { store, descending, meter } = this.#reading;
    const range = { gte: this.#gte, lt: this.#lt, limit: this.#piece, reverse: descending };
    meter.reads += 1;
    this.#entries = await store.range(range);
    this.#isLast = this.#entries.length < this.#piece;
    const last = this.#entries.at(-1)?.[0];
    if (last !== undefined) {
      if (descending) this.#lt = last;
      else this.#gte = Buffer.concat([last, afterId]);
    }
    // Who needs more than the first piece needs more still.
    this.#piece = Math.min(this.#piece * 2, maxPiece);
  }
}

function least(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Buffer.compare(a, b) < 0 ? a : b;
}

function most(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Buffer.compare(a, b) > 0 ? a : b;
}
