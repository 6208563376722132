// SPDX-License-Identifier: Apache-2.0

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { PawlError } from "../errors.js";
import { withDeadline } from "./deadline.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A call without an answer; it ends when its signal says so, as every call of a port does. */
function unanswered(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(new PawlError("CANCELLED", "given up")));
  });
}

describe("withDeadline()", () => {
  test.each([1000, 2 ** 31 - 1, 2 ** 31, 30 * 24 * 3_600_000, 100 * 24 * 3_600_000])(
    "gives up after %d ms and not before",
    async (timeoutMs) => {
      const ended = vi.fn();
      void withDeadline(timeoutMs, undefined, unanswered).catch(ended);
      await vi.advanceTimersByTimeAsync(timeoutMs - 1);
      expect(ended).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(1);
      expect(ended).toHaveBeenCalledWith(expect.objectContaining({ code: "DEADLINE_EXCEEDED" }));
    },
  );

  test("waits for ever when it is told so, and leaves no timer behind", async () => {
    const answer = withDeadline(Number.POSITIVE_INFINITY, undefined, async () => {
      await vi.advanceTimersByTimeAsync(200 * 24 * 3_600_000);
      return "late";
    });
    expect(await answer).toBe("late");
    expect(vi.getTimerCount()).toBe(0);
  });
});
