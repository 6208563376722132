// SPDX-License-Identifier: Apache-2.0

import { clone, create } from "@bufbuild/protobuf";
import {
  BatchFailureSchema,
  type BatchRow,
  BatchRowSchema,
  StoredBatchStatus,
} from "@pawl/protocol/store";
import { instanceIdOf } from "../../store/key.js";
import { describeLost, type LostBlocks } from "../../store/salvage/lost-blocks.js";
import { scan } from "../../store/scan.js";
import { del, put, type Store } from "../../store/store.js";
import { batchItemRange, batchRange } from "../../store/store-key.js";
import { isEnded } from "../batch/batch-codec.js";
import { decodeBatch, encodeBatch } from "../batch/batch-row.js";

/** Ends batches that may have lost some of what they have to do: they fail, and say why. */
export async function endLostBatches(store: Store, lost: LostBlocks, now: number): Promise<void> {
  for await (const rows of scan(store, batchRange())) {
    for (const [key, value] of rows) {
      const items = batchItemRange(instanceIdOf(key));
      const block = lost.find(key) ?? lost.findIn(items);
      const row = decodeBatch(value);
      if (block === undefined || isEnded(row)) continue;
      const ended = failed(row, `what it had to do may have been in ${describeLost(block)}`, now);
      await store.write([put(key, encodeBatch(ended))]);
      for await (const entries of scan(store, items)) {
        await store.write(entries.map(([item]) => del(item)));
      }
    }
  }
}

function failed(row: BatchRow, message: string, now: number): BatchRow {
  const failure = create(BatchFailureSchema, { code: "INSTANCE_DAMAGED", message });
  return Object.assign(clone(BatchRowSchema, row), {
    status: StoredBatchStatus.FAILED,
    completedAt: BigInt(now),
    failures: [failure, ...row.failures],
  });
}
