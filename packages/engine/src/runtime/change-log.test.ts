// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { openMemoryStore } from "../store/memory-store.js";
import { ChangeLog } from "./change-log.js";

/** A log with so many changes, one after the other. */
async function logOf(changes: number): Promise<ChangeLog> {
  const store = await openMemoryStore();
  const log = new ChangeLog(store, () => {});
  for (let change = 1; change <= changes; change += 1) {
    await store.write(log.entry(change, [`id-${change}`]));
    log.committed(change, [`id-${change}`]);
  }
  return log;
}

describe("the log of changes", () => {
  test("reaches as far back as it has entries", async () => {
    const log = await logOf(8_192 + 513);
    expect(log.reaches(512)).toBe(false);
    expect((await log.from(512))[0]?.change).toBe(513);
    expect(log.reaches(513)).toBe(true);
    expect((await log.from(513))[0]).toEqual({ change: 513, instanceIds: ["id-513"] });
  });

  test("of which nothing was trimmed reaches back to the first change", async () => {
    const log = await logOf(1);
    expect(log.reaches(1)).toBe(true);
    expect(log.reaches(2)).toBe(true);
    expect(await log.from(2)).toEqual([]);
  });
});
