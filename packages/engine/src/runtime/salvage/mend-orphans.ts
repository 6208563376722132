// SPDX-License-Identifier: Apache-2.0

import { encodeLostRow } from "../../store/codec.js";
import { instanceIdOf, instanceRange, kindRange, rowKey } from "../../store/key.js";
import { describeLost, type LostBlocks } from "../../store/salvage/lost-blocks.js";
import { scan } from "../../store/scan.js";
import { del, put, type Store, type StoreWrite } from "../../store/store.js";

/** Kinds of entries that belong to a row, and the bytes that follow the id and its zero byte. */
const ownedKinds = [
  ["history", 8],
  ["inbox", 4],
  ["outbox", 4],
  ["live", 0],
  ["execution", 4],
] as const;

/** A message may outlive its sender. */
const removedKinds = ["history", "inbox", "live", "execution"] as const;

/**
 * Looks at entries whose instance has no row. Where the row may have been lost, the instance is parked;
 * otherwise it was deleted, and what has come back of it goes.
 */
export async function mendOrphans(
  store: Store,
  lost: LostBlocks,
  partition: number,
): Promise<void> {
  for (const [kind, tailBytes] of ownedKinds) {
    let last: string | undefined;
    for await (const entries of scan(store, kindRange(kind, partition))) {
      const writes: StoreWrite[] = [];
      for (const [key] of entries) {
        const instanceId = instanceIdOf(key, tailBytes);
        if (instanceId === last) continue;
        last = instanceId;
        await mendOwner(store, lost, instanceId, writes);
      }
      if (writes.length > 0) await store.write(writes);
    }
  }
}

async function mendOwner(
  store: Store,
  lost: LostBlocks,
  instanceId: string,
  writes: StoreWrite[],
): Promise<void> {
  const block = lost.findRow(instanceId);
  const [row] = await store.range({ ...instanceRange("row", instanceId), limit: 1 });
  if (row !== undefined) return;
  if (block !== undefined) {
    const value = encodeLostRow(`its row was in ${describeLost(block)}`);
    writes.push(put(rowKey(instanceId), value));
    return;
  }
  for (const kind of removedKinds) {
    const found = await store.range(instanceRange(kind, instanceId));
    writes.push(...found.map(([key]) => del(key)));
  }
}
