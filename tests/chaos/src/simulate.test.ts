// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { simulateMany } from "./simulate.ts";
import { simulate } from "./simulation/simulation.ts";

describe("simulate()", () => {
  test("gives the same run for the same seed", async () => {
    for (const seed of [3, 14, 159]) {
      const first = await simulate(seed, true);
      const second = await simulate(seed, true);
      expect(second.trace).toEqual(first.trace);
      expect(second.hash).toBe(first.hash);
      expect((await simulate(seed + 1)).hash).not.toBe(first.hash);
    }
  });

  test("finds nothing wrong in a thousand seeds, with faults in nearly all", async () => {
    const report = await simulateMany({ seed: 1, count: 1000, onProgress() {} });
    expect(report.failed.map(({ seed, violations }) => ({ seed, violations }))).toEqual([]);
    expect(report.count).toBe(1000);
    expect(report.faults).toBeGreaterThan(5000);
    expect(report.lives).toBeGreaterThan(2000);
    expect(report.activities).toBeGreaterThan(5000);
  });
});
