// SPDX-License-Identifier: Apache-2.0
// Property tests draw new inputs each time, but for a given commit CI draws the same ones: PAWL_SEED, set by
// .ci/run, is the seed of every property. What CI finds is found again with the number that it printed.

import { readFileSync } from "node:fs";
import { expect } from "vitest";

const { PAWL_SEED: seed } = process.env;
const { testPath } = expect.getState();

// The library takes a while to load, and nine of ten test files have no use for it.
if (
  seed !== undefined &&
  testPath !== undefined &&
  readFileSync(testPath, "utf8").includes('"fast-check"')
) {
  const { configureGlobal } = await import("fast-check");
  configureGlobal({ seed: Number(seed) });
}
