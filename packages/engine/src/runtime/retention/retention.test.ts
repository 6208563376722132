// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { keptMs } from "./retention.js";

const options = {
  completedMs: 1,
  anyMs: 9,
  byWorkflow: { order: { failedMs: 3 }, mail: { anyMs: 4, terminatedMs: 5 }, plain: {} },
};

test.each([
  ["other", "completed", 1],
  ["other", "failed", 9],
  ["order", "failed", 3],
  ["order", "completed", 1],
  ["order", "terminated", 9],
  ["mail", "completed", 4],
  ["mail", "terminated", 5],
  ["plain", "completed", 1],
  ["toString", "completed", 1],
] as const)("keeps what of %s is %s for %i ms", (workflow, status, length) => {
  expect(keptMs(options, workflow, status)).toBe(length);
});

test("keeps for ever what nothing is said of, and what has not ended", () => {
  expect(keptMs({}, "order", "completed")).toBeUndefined();
  expect(keptMs({ completedMs: 1 }, "order", "failed")).toBeUndefined();
  expect(keptMs({ completedMs: 1 }, "order", "running")).toBeUndefined();
});
