// SPDX-License-Identifier: Apache-2.0

import { isEngineError } from "../../errors.js";
import { decodeRow } from "../codec.js";
import { instanceIdOf, kindRange, partitions } from "../key.js";
import { scan } from "../scan.js";
import { del, type Store, type StoreWrite } from "../store.js";
import { indexKinds } from "./index-key.js";
import { draftIndexes } from "./index-writes.js";

/**
 * Makes all indexes anew from the rows, in batches of bounded size. One that was cut short may be
 * begun again: it starts by deleting what is there. Rows that cannot be decoded get no entries.
 * `onProgress` is told of the number of rows read so far.
 */
export async function buildIndexes(
  store: Store,
  onProgress: (rows: number) => void = () => {},
): Promise<void> {
  let rows = 0;
  for (const partition of partitions) {
    // Formats before 4 had another index by creation, under "d".
    for (const kind of [...indexKinds, "retired"] as const) {
      for await (const entries of scan(store, kindRange(kind, partition))) {
        await store.write(entries.map(([key]) => del(key)));
      }
    }
    for await (const entries of scan(store, kindRange("row", partition))) {
      const writes: StoreWrite[] = [];
      for (const [key, value] of entries) draftEntries(instanceIdOf(key), value, writes);
      await store.write(writes);
      rows += entries.length;
      onProgress(rows);
    }
  }
}

function draftEntries(instanceId: string, row: Uint8Array, writes: StoreWrite[]): void {
  try {
    draftIndexes(instanceId, undefined, decodeRow(row), writes);
  } catch (error) {
    if (!isEngineError(error)) throw error;
  }
}
