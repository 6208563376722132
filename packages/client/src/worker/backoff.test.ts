// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { reconnectMs } from "./backoff.js";

test("doubles to 10 seconds, spread over the upper half", () => {
  expect([1, 2, 3, 20].map((failures) => reconnectMs(failures, 0))).toEqual([50, 100, 200, 5000]);
  expect([1, 2, 3, 20].map((failures) => reconnectMs(failures, 1))).toEqual([
    100, 200, 400, 10_000,
  ]);
});
