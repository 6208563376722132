// SPDX-License-Identifier: Apache-2.0

import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";

const slotBytes = 16;
/** Slots stand in sectors of their own, so that a torn write spoils one of them only. */
const slotGapBytes = 4096;
const slotCount = 2;

/**
 * The number of the newest durable commit, written over after each of them and not synced: it
 * outlives a killed process, and mostly a power cut. Its number is never ahead of the database, so
 * a database that is behind it has lost writes. Best effort: when it cannot be written, or is
 * damaged, the side file's older number stands.
 */
export class NewestCommitFile {
  readonly #storeId: string;
  readonly #slot = Buffer.alloc(slotBytes);
  #file: number | undefined;

  constructor(path: string, storeId: string) {
    this.#storeId = storeId;
    try {
      this.#file = openSync(path, "r+");
    } catch {
      this.#file = openOrNothing(path);
    }
  }

  /** Notes a commit. Does not throw. */
  write(commit: number): void {
    if (this.#file === undefined) return;
    writeNumber(this.#slot, commit);
    this.#slot.writeUInt32BE(sealOf(this.#slot, this.#storeId), 8);
    try {
      writeSync(this.#file, this.#slot, 0, slotBytes, (commit % slotCount) * slotGapBytes);
    } catch {
      this.close();
    }
  }

  /** Lets the file go. Does not throw. */
  close(): void {
    const file = this.#file;
    this.#file = undefined;
    try {
      if (file !== undefined) closeSync(file);
    } catch {
      // What was not written leaves an older number; the database has to be closed all the same.
    }
  }
}

/** The newest commit that the file has of this store; 0 when there is none that is sound. */
export function readNewestCommit(path: string, storeId: string): number {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return 0;
  }
  const found = Array.from({ length: slotCount }, (_, index) => {
    const slot = bytes.subarray(index * slotGapBytes, index * slotGapBytes + slotBytes);
    if (slot.length < slotBytes || slot.readUInt32BE(8) !== sealOf(slot, storeId)) return 0;
    return slot.readUInt32BE(0) * 2 ** 32 + slot.readUInt32BE(4);
  });
  return Math.max(...found);
}

function openOrNothing(path: string): number | undefined {
  try {
    return openSync(path, "w+");
  } catch {
    return undefined;
  }
}

function writeNumber(slot: Buffer, value: number): void {
  slot.writeUInt32BE(Math.floor(value / 2 ** 32), 0);
  slot.writeUInt32BE(value % 2 ** 32, 4);
}

function sealOf(slot: Uint8Array, storeId: string): number {
  return crc32(slot.subarray(0, 8), crc32(storeId));
}
