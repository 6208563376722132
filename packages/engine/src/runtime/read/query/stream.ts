// SPDX-License-Identifier: Apache-2.0

import { instantBytes, instantKey } from "../../../store/index/index-key.js";
import type { Entry, StoreReader } from "../../../store/store.js";
import type { Run } from "./plan.js";

/** Entries of one run that are read at a time, at most. */
const maxPiece = 256;
/** The same after a leap: what follows may be leapt over, too. */
const leapPiece = 4;
/** The same, at the least, of those of many workflows for some: most may be of others. */
const mixedPiece = 32;

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
  /** Nothing is before this position, and nothing has been read yet. */
  #nearest: Buffer | undefined;
  head: Place | undefined;

  constructor(reading: Reading, run: Run) {
    const { descending, after, expected } = reading;
    this.#reading = reading;
    this.#run = run;
    const wanted = run.workflows === undefined ? expected : Math.max(expected, mixedPiece);
    this.#piece = Math.min(wanted, maxPiece);
    this.#gte = Buffer.concat([run.prefix, run.low]);
    this.#lt = run.end;
    if (after !== undefined) this.#skipTo(after, true);
    const { extent } = run;
    if (extent === undefined) return;
    // The same as of any position: no instant alone is one.
    const [nearest, furthest] = descending
      ? [instantKey(extent.last + 1), instantKey(extent.first)]
      : [instantKey(extent.first), instantKey(extent.last + 1)];
    this.#skipTo(nearest, false);
    this.#isLast = after !== undefined && isBefore(reading, furthest, after);
    if (after === undefined || isBefore(reading, after, nearest)) this.#nearest = nearest;
  }

  async seek(position?: Buffer): Promise<void> {
    const nearest = this.#nearest;
    if (nearest !== undefined && (position === undefined || this.#isBefore(position, nearest))) {
      // Nothing has to be read to know this much.
      this.head = hollow(nearest);
      return;
    }
    if (position === undefined) return this.next();
    while (this.#at < this.#entries.length) {
      const place = this.#place();
      if (place !== undefined && !this.#isBefore(place.position, position)) {
        this.head = place;
        return;
      }
    }
    this.#skipTo(position, false);
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

  #isBefore(a: Buffer, b: Buffer): boolean {
    return isBefore(this.#reading, a, b);
  }

  /** What is read from now on is not before this position, or is after it. */
  #skipTo(position: Buffer, isAfter: boolean): void {
    if (this.#reading.descending) {
      const end = isAfter ? this.#keyOf(position) : this.#keyOf(position, afterId);
      this.#lt = least(this.#lt, end);
    } else {
      const start = isAfter ? this.#keyOf(position, afterId) : this.#keyOf(position);
      this.#gte = most(this.#gte, start);
    }
  }

  #keyOf(position: Buffer, ...rest: Buffer[]): Buffer {
    return Buffer.concat([this.#run.prefix, position, ...rest]);
  }

  async #read(): Promise<void> {
    this.#at = 0;
    this.#entries = [];
    this.#nearest = undefined;
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
