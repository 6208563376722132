// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { filterAt, mayMatch } from "./bloom-filter.js";

describe("mayMatch()", () => {
  test("finds no key in a filter without bits", () => {
    expect(mayMatch(Buffer.of(6), Buffer.from("a"))).toBe(false);
  });

  test("takes a filter of a form that is not known for one that has every key", () => {
    expect(mayMatch(Buffer.of(0, 31), Buffer.from("a"))).toBe(true);
  });
});

describe("filterAt()", () => {
  test("says that there is none where the block of filters is cut short", () => {
    expect(filterAt(Buffer.of(1, 2), 0)).toBeUndefined();
    expect(filterAt(Buffer.from("0000000000000000000b", "hex"), 1 << 20)).toBeUndefined();
  });
});
