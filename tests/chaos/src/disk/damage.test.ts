// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { chooseSeed, print } from "../testing/run.ts";
import { damageFiles, fileKinds, harms } from "./damage.ts";
import { describeDamage } from "./describe.ts";

test("damage to any file of a folder is found or does no harm, and nothing is deleted", async () => {
  const count = 5 * Object.keys(fileKinds).length * harms.length;
  const report = await damageFiles({ seed: chooseSeed(), count, onProgress: print });
  const text = describeDamage(report);
  print(text);
  expect(report.violations, text).toEqual([]);
  const found = report.outcomes.reduce((sum, { refused, parked }) => sum + refused + parked, 0);
  const harmless = report.outcomes.reduce((sum, each) => sum + each.harmless, 0);
  expect(found + harmless, text).toBe(count);
  expect(found, text).toBeGreaterThan(count / 2);
});
