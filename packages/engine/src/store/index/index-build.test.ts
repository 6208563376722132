// SPDX-License-Identifier: Apache-2.0

import { StoredStatus } from "@pawl/protocol/store";
import { expect, test } from "vitest";
import { encodeRow, Row } from "../codec.js";
import { partitionOf, rowKey } from "../key.js";
import { openMemoryStore } from "../memory-store.js";
import type { StoreWrite } from "../store.js";
import { buildIndexes } from "./index-build.js";
import { findIndexFaults } from "./index-check.js";

test("buildIndexes() finds every row, also where a partition has more than one read gives", async () => {
  const store = await openMemoryStore();
  const status = StoredStatus.RUNNING;
  const value = encodeRow(Object.assign(new Row(), { workflow: "w", status, createdAt: 1000 }));
  const ids = Array.from({ length: 30_000 }, (_, number) => `i-${number}`)
    .filter((id) => partitionOf(id) === 0)
    .slice(0, 1100);
  await store.write(ids.map((id): StoreWrite => ({ type: "put", key: rowKey(id), value })));
  let rows = 0;
  await buildIndexes(store, (count) => {
    rows = count;
  });
  expect(rows).toBe(1100);
  expect(await findIndexFaults(store)).toEqual([]);
  await store.close();
});
