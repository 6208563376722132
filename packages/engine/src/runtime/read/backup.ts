// SPDX-License-Identifier: Apache-2.0

import type { BackupPiece } from "../../port/local.js";
import { partitionCount } from "../../store/key.js";
import { scan } from "../../store/scan.js";
import type { Store } from "../../store/store.js";

/** Greater than every key. */
const end = Buffer.alloc(8, 0xff);

/** Reads a store whole, as it is now. */
export async function* readBackup(store: Store): AsyncGenerator<BackupPiece, void> {
  const snapshot = store.snapshot();
  try {
    for await (const entries of scan(snapshot, { gte: Buffer.alloc(0), lt: end })) {
      yield { entries, share: shareOf(entries.at(-1)?.[0]) };
    }
  } finally {
    await snapshot.close();
  }
}

/** Instances are spread evenly over the partitions, with whose number a key begins. */
function shareOf(key: Uint8Array | undefined): number {
  const [high = 0, low = 0] = key ?? [];
  return Math.min(1, (high * 256 + low) / partitionCount);
}
