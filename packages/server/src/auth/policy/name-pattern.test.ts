// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { fitsPattern } from "./name-pattern.js";

test.each([
  ["order", "order", true],
  ["order", "orde", false],
  ["order", "*", true],
  ["", "*", true],
  ["order-eu", "order*", true],
  ["eu/order", "*order", true],
  ["an-order-2", "*order*", true],
  ["aa", "a*a", true],
  ["a", "a*a", false],
  ["abcbc", "a*bc", true],
  ["abab", "ab*ab*ab", false],
  ["order", "ORDER", false],
  ["order", "o.der", false],
  ["a.b", "a.b", true],
])("%j fits %j: %s", (name, pattern, fits) => {
  expect(fitsPattern(name, pattern)).toBe(fits);
});

test("agrees with a regular expression", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });
  fc.assert(
    fc.property(text, text, (some, pattern) => {
      const name = some.replaceAll("*", "");
      const expression = new RegExp(`^${pattern.replaceAll("*", ".*")}$`);
      expect(fitsPattern(name, pattern)).toBe(expression.test(name));
    }),
  );
});
