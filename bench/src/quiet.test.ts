// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { QuietMeter } from "./quiet.js";
import type { Sample } from "./workload/sample.js";

/** Gives samples that were disturbed this much, one after another. */
function samplesOf(...shares: number[]): { once: () => Promise<Sample>; left: number[] } {
  const left = [...shares];
  const rest = { items: 1, perSecond: 1, p50Ms: 1, p99Ms: 1, cpuMs: {} };
  return { once: async () => ({ ...rest, otherCpuShare: left.shift() ?? Number.NaN }), left };
}

test("QuietMeter takes what it gets when it has no patience", async () => {
  const { once, left } = samplesOf(0.9, 0.1);

  expect(await new QuietMeter(0).measure(once)).toMatchObject({ otherCpuShare: 0.9 });
  expect(left).toEqual([0.1]);
});

test("QuietMeter waits for quiet and measures until a sample was not disturbed", async () => {
  const { once, left } = samplesOf(0.9, 0.5, 0.05, 0);
  const looks = [false, false, true, true, true];
  const patient = new QuietMeter(Number.MAX_SAFE_INTEGER, async () => looks.shift() ?? false);

  expect(await patient.measure(once)).toMatchObject({ otherCpuShare: 0.05 });
  expect(left).toEqual([0]);
  expect(looks).toEqual([]);
});
