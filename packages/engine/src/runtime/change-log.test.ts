// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { openMemoryStore } from "../store/memory-store.js";
import { put } from "../store/store.js";
import { changeKey } from "../store/store-key.js";
import { ChangeLog } from "./change-log.js";

/** A log with so many changes, one after the other. */
async function logOf(changes: number): Promise<ChangeLog> {
  const store = await openMemoryStore();
  const log = new ChangeLog(store, () => {});
  for (let change = 1; change <= changes; change += 1) {
    const changed = { written: [`id-${change}`], purged: [] };
    await store.write(log.entry(change, changed));
    log.committed(change, changed);
  }
  return log;
}

describe("the log of changes", () => {
  test("reaches as far back as it has entries", async () => {
    const log = await logOf(8_192 + 513);
    expect(log.reaches(512)).toBe(false);
    expect((await log.from(512))[0]?.change).toBe(513);
    expect(log.reaches(513)).toBe(true);
    expect((await log.from(513))[0]).toEqual({ change: 513, written: ["id-513"], purged: [] });
  });

  test("of which nothing was trimmed reaches back to the first change", async () => {
    const log = await logOf(1);
    expect(log.reaches(1)).toBe(true);
    expect(log.reaches(2)).toBe(true);
    expect(await log.from(2)).toEqual([]);
  });

  test("tells what was deleted from what was written, also in another life", async () => {
    const store = await openMemoryStore();
    const log = new ChangeLog(store, () => {});
    const changes = [
      { written: ["a", "b"], purged: [] },
      { written: [], purged: ["a"] },
      { written: ["c"], purged: ["b", "d"] },
    ];
    for (const [index, changed] of changes.entries()) {
      await store.write(log.entry(index + 1, changed));
    }
    const again = new ChangeLog(store, () => {});
    await again.open();
    expect(await again.from(1)).toEqual(
      changes.map((changed, index) => ({ change: index + 1, ...changed })),
    );
  });

  test("of format 6 does not know what was deleted", async () => {
    const store = await openMemoryStore();
    await store.write([put(changeKey(1), Buffer.from("a\0b"))]);
    const log = new ChangeLog(store, () => {});
    await log.open();
    const [change] = await log.from(1);
    expect(change).toEqual({ change: 1, written: ["a", "b"], purged: [], isBlurred: true });
  });
});
