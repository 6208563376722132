// SPDX-License-Identifier: Apache-2.0

import { decodeRow } from "../../store/codec.js";
import { isDamage } from "../../store/damaged.js";
import { buildIndexes } from "../../store/index/index-build.js";
import { instanceIdOf, kindRange, liveKey, partitions } from "../../store/key.js";
import { LostBlocks } from "../../store/salvage/lost-blocks.js";
import { unmendedKey } from "../../store/salvage/lost-keys.js";
import { scan } from "../../store/scan.js";
import { del, mark, type Store, type StoreWrite } from "../../store/store.js";
import { endLostBatches } from "./mend-batches.js";
import { mendInstance } from "./mend-instance.js";
import { mendOrphans } from "./mend-orphans.js";

/** What was found by going through a salvaged store. */
export interface Mended {
  /** Instances that were read. */
  readonly instances: number;
  /** Blocks that were lost, over all salvages of the store. */
  readonly lostBlocks: number;
  /** Messages on their way between instances may have been lost, of which nobody can tell any more. */
  readonly mayLackMessages: boolean;
}

/**
 * Goes through a store of which a part was lost, once after each salvage: what can be derived is made
 * again (marks of work, timers, indexes); instances that lack something that cannot be are parked, and what
 * was deleted and has come back goes away. May be cut short and begun again. Undefined: there is no need.
 */
export async function mend(store: Store, now: number): Promise<Mended | undefined> {
  if ((await store.get(unmendedKey)) === undefined) return undefined;
  const lost = await LostBlocks.read(store);
  await endLostBatches(store, lost, now);
  for (const partition of partitions) {
    await mendOrphans(store, lost, partition);
  }
  let instances = 0;
  for (const partition of partitions) {
    for await (const rows of scan(store, kindRange("row", partition))) {
      const writes: StoreWrite[] = [];
      for (const [key, value] of rows) await mendRow(store, lost, key, value, writes);
      if (writes.length > 0) await store.write(writes);
      instances += rows.length;
    }
  }
  await buildIndexes(store);
  await store.write([del(unmendedKey)]);
  const lostBlocks = lost.all.length;
  return { instances, lostBlocks, mayLackMessages: lost.mayHaveHeldMessages };
}

/** A parked one gets the mark of work at hand, so that each start of the engine names it. */
async function mendRow(
  store: Store,
  lost: LostBlocks,
  key: Uint8Array,
  value: Uint8Array,
  writes: StoreWrite[],
): Promise<void> {
  const instanceId = instanceIdOf(key);
  try {
    await mendInstance(store, lost, instanceId, decodeRow(value), writes);
  } catch (error) {
    if (!isDamage(error)) throw error;
    writes.push(mark(liveKey(instanceId)));
  }
}
