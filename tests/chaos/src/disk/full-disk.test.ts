// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { chooseSeed, print } from "../testing/run.ts";
import { describeFullDisk } from "./describe.ts";
import { fillDisk, findUnshare } from "./full-disk.ts";

const canMount = findUnshare() !== undefined;
if (!canMount && process.env.CI === "true") throw new Error("no mounts of one's own can be had");

describe.skipIf(!canMount)("a full disk (needs unshare)", () => {
  test("loses nothing, and the engine serves again by itself", async () => {
    const report = await fillDisk({ seed: chooseSeed(), rounds: 30, onProgress: print });
    const text = describeFullDisk(report);
    print(text);
    expect(report.violations, text).toEqual([]);
    expect(report.backMs).toHaveLength(30);
    expect(report.full, text).toBeGreaterThanOrEqual(20);
  });

  test("that never came about is no success", async () => {
    const report = await fillDisk({ seed: chooseSeed(), rounds: 1, fillLimitMs: 0 });
    expect(report.violations.map(({ rule }) => rule)).toContain("the disk runs full");
  });
});
