// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { median, percentile } from "./statistics.js";

describe("percentile()", () => {
  const hundred = Float64Array.from({ length: 100 }, (_, index) => index + 1);

  test.each([
    [0.5, 50],
    [0.99, 99],
    [1, 100],
  ])("of 1 to 100 at %d is %d", (share, expected) => {
    expect(percentile(hundred, share)).toBe(expected);
  });

  test("of one value is that value", () => {
    expect(percentile(Float64Array.of(7), 0.99)).toBe(7);
  });

  test("of nothing is not a number", () => {
    expect(percentile(new Float64Array(), 0.5)).toBeNaN();
  });
});

describe("median()", () => {
  test.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[10, 9], 9.5],
    [[5], 5],
  ])("of %j is %d", (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  test("of nothing is not a number", () => {
    expect(median([])).toBeNaN();
  });
});
