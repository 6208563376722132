// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { nextRetryMs, type RetryPolicy, resolveRetryPolicy } from "./retry.js";

const failure = { type: "Error", message: "", nonRetriable: false };

/** The waits that a policy gives when every attempt fails at once. */
function waits(policy: RetryPolicy, type = "Error", nonRetriable = false): number[] {
  const resolved = resolveRetryPolicy(policy);
  const result: number[] = [];
  let now = 1000;
  for (let failedAttempts = 1; failedAttempts < 20; failedAttempts += 1) {
    const progress = { failedAttempts, firstAttemptAt: 1000, now };
    const waitMs = nextRetryMs(resolved, progress, { ...failure, type, nonRetriable });
    if (waitMs === undefined) break;
    result.push(waitMs);
    now += waitMs;
  }
  return result;
}

describe("nextRetryMs()", () => {
  test("waits the same each time unless told otherwise", () => {
    expect(waits({ maxAttempts: 4, firstIntervalMs: 10 })).toEqual([10, 10, 10]);
  });

  test("multiplies by the coefficient, rounded down, up to the longest wait", () => {
    const policy = { firstIntervalMs: 10, backoffCoefficient: 1.5, maxIntervalMs: 30 };
    expect(waits({ ...policy, maxAttempts: 6 })).toEqual([10, 15, 22, 30, 30]);
  });

  test("stays finite where the coefficient's power does not", () => {
    const policy = { maxAttempts: 5000, firstIntervalMs: 10, backoffCoefficient: 10 };
    const progress = { failedAttempts: 4000, firstAttemptAt: 0, now: 0 };
    expect(nextRetryMs(resolveRetryPolicy(policy), progress, failure)).toBe(3_600_000);
  });

  test("begins no attempt after the timeout", () => {
    const policy = { maxAttempts: 9, firstIntervalMs: 10, backoffCoefficient: 2 };
    expect(waits({ ...policy, timeoutMs: 30 })).toEqual([10, 20]);
    expect(waits({ ...policy, timeoutMs: 29 })).toEqual([10]);
  });

  test("does not retry what cannot be retried", () => {
    const policy = { maxAttempts: 9, firstIntervalMs: 10, nonRetriableTypes: ["Declined"] };
    expect(waits(policy, "Declined")).toEqual([]);
    expect(waits(policy, "Error", true)).toEqual([]);
  });

  test("one attempt is no retry", () => {
    expect(waits({ maxAttempts: 1, firstIntervalMs: 0 })).toEqual([]);
  });
});

describe("resolveRetryPolicy()", () => {
  test.each([
    { maxAttempts: 0, firstIntervalMs: 1 },
    { maxAttempts: 1.5, firstIntervalMs: 1 },
    { maxAttempts: 1, firstIntervalMs: -1 },
    { maxAttempts: 1, firstIntervalMs: Number.NaN },
    { maxAttempts: 1, firstIntervalMs: 1, backoffCoefficient: 0.5 },
    { maxAttempts: 1, firstIntervalMs: 1, maxIntervalMs: -1 },
    { maxAttempts: 1, firstIntervalMs: 1, timeoutMs: -1 },
  ])("refuses %o", (policy) => {
    expect(() => resolveRetryPolicy(policy)).toThrow(/out of range/);
  });
});
