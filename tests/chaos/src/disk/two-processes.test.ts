// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { chooseSeed, print } from "../testing/run.ts";
import { describeRaces } from "./describe.ts";
import { raceProcesses } from "./two-processes.ts";

test("of two servers that start on one folder at once, one serves and the other names it", async () => {
  const report = await raceProcesses({ seed: chooseSeed(), rounds: 12, onProgress: print });
  const text = describeRaces(report);
  print(text);
  expect(report.violations, text).toEqual([]);
});
