// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { killWorker } from "./kill-worker.ts";
import { describeWorkerKills } from "./report.ts";
import { chooseSeed, print } from "./testing/run.ts";

test("workers killed in the middle of activities lose nothing and double nothing", async () => {
  const report = await killWorker({ seed: chooseSeed(), kills: 20, onProgress: print });
  const text = describeWorkerKills(report);
  print(text);
  expect(report.violations, text).toEqual([]);
  expect(report.interrupted, text).toBeGreaterThan(0);
});
