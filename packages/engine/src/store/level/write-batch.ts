// SPDX-License-Identifier: Apache-2.0

import { ByteReader } from "./byte-reader.js";
import type { TableEntry } from "./table-block.js";

// The format of a record of LevelDB's logs: one batch of writes (db/write_batch.cc).

/** Sequence (8) and count of writes (4). */
const headerBytes = 12;

/** What a batch says of itself; undefined: it is none. */
export function readBatchHeader(
  batch: Uint8Array,
): { readonly sequence: number; readonly writes: number } | undefined {
  if (batch.length < headerBytes) return undefined;
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  const sequence = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  return { sequence, writes: view.getUint32(8, true) };
}

/** The writes of a batch, in order. Throws RangeError when it is cut short. */
export function* writesIn(batch: Uint8Array): Generator<TableEntry, void> {
  const reader = new ByteReader(batch, headerBytes);
  while (!reader.isDone) {
    const isPut = reader.byte() === 1;
    const key = reader.string();
    yield { key, value: isPut ? reader.string() : undefined };
  }
}
