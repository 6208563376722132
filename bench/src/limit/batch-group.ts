// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { type LoggedWrite, partsOf } from "./level-log.js";
import type { Recording } from "./recording.js";

/** A place where an instance id stands. */
interface Place {
  readonly bytes: Buffer;
  readonly offset: number;
}

/**
 * The batches of several chains that go in step: the first batch holds the first writes of all,
 * and so on. What a batch holds once, whoever it is for (its mark), it holds once here, too.
 */
export class BatchGroup {
  /** The batches, to be written in order. Their bytes change with `renew`. */
  readonly batches: readonly LoggedWrite[][];
  /** Of each chain the places of its id. */
  readonly #ids: Place[][] = [];
  /** Ends of keys that no two batches share. */
  readonly #marks: Place[] = [];
  #nextMark = 1;

  constructor(recording: Recording, chains: number) {
    for (let index = 0; index < chains; index += 1) this.#ids.push([]);
    this.batches = recording.batches.map((writes) => this.#multiply(writes, recording.instanceId));
  }

  /** Makes the chains new ones, as if never written. */
  renew(): void {
    for (const places of this.#ids) {
      const id = randomUUID();
      for (const { bytes, offset } of places) bytes.write(id, offset, "latin1");
    }
    for (const { bytes, offset } of this.#marks) {
      bytes.writeUInt32BE(this.#nextMark, offset);
      this.#nextMark += 1;
    }
  }

  #multiply(writes: readonly LoggedWrite[], instanceId: string): LoggedWrite[] {
    const batch: LoggedWrite[] = [];
    const isOwn = ({ key }: LoggedWrite): boolean => key.includes(instanceId);
    for (const places of this.#ids) {
      for (const write of writes.filter(isOwn)) {
        const copy = copyOf(write);
        for (const part of partsOf(copy)) places.push(...placesOf(instanceId, part));
        batch.push(copy);
      }
    }
    for (const write of writes.filter((candidate) => !isOwn(candidate))) {
      const copy = copyOf(write);
      this.#marks.push({ bytes: copy.key, offset: copy.key.length - 4 });
      batch.push(copy);
    }
    return batch;
  }
}

function copyOf(write: LoggedWrite): LoggedWrite {
  const key = Buffer.from(write.key);
  return write.type === "put"
    ? { type: "put", key, value: Buffer.from(write.value) }
    : { type: "del", key };
}

function placesOf(instanceId: string, bytes: Buffer): Place[] {
  const places: Place[] = [];
  for (let at = bytes.indexOf(instanceId); at >= 0; at = bytes.indexOf(instanceId, at + 1)) {
    places.push({ bytes, offset: at });
  }
  return places;
}
