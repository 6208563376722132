// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { errorCodes } from "./error-code.js";
import { limits } from "./limits.js";

test("error codes are distinct and in upper snake case", () => {
  expect(new Set(errorCodes).size).toBe(errorCodes.length);
  for (const code of errorCodes) expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
});

test("limits are positive whole numbers, and fit into each other", () => {
  for (const limit of Object.values(limits)) {
    expect(Number.isSafeInteger(limit)).toBe(true);
    expect(limit).toBeGreaterThan(0);
  }
  expect(limits.payloadBytes).toBeLessThan(limits.sidecarTurnBytes);
  expect(limits.sidecarTurnBytes).toBeLessThan(limits.requestBytes);
  expect(limits.restInstanceIdBytes).toBeLessThanOrEqual(limits.instanceIdBytes);
});
