// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { openMemoryStore } from "../store/memory-store.js";
import type { StoreWrite } from "../store/store.js";
import { ChangeLog } from "./change-log.js";
import { systemClock } from "./clock.js";
import { type Dirty, Journal } from "./journal.js";

/** Something with so many changes, each under a key that begins with a number of its own. */
function dirty(number: number, count: number): Dirty {
  return {
    batch: undefined,
    draft(writes: StoreWrite[]) {
      for (let at = 0; at < count; at += 1) {
        const key = Buffer.from([0, number, at >>> 8, at & 255]);
        writes.push({ type: "put", key, value: Uint8Array.of(1) });
      }
      return {};
    },
  };
}

describe("Journal", () => {
  test("writes what one batch has no room for with the next, before it is acknowledged", async () => {
    const store = await openMemoryStore();
    const changes = new ChangeLog(store, () => {});
    const journal = new Journal(store, changes, { clock: systemClock, commitWaitMs: 0 }, () => {});
    const all = [1, 2, 3].map((number) => dirty(number, 6000));
    await Promise.all(all.map((one) => journal.commit(one, true)));
    const stored = await store.range({ gte: Buffer.from([0, 1]), lt: Buffer.from([0, 4]) });
    expect(stored).toHaveLength(18_000);
    expect(journal.commitCount()).toBe(2);
    expect(journal.isIdle()).toBe(true);
    await store.close();
  });
});
