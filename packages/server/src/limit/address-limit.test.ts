// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { AddressLimit } from "./address-limit.js";

test("an address has so many connections, and as many again once they are given back", () => {
  const limit = new AddressLimit(2);
  expect([limit.take("10.0.0.1"), limit.take("10.0.0.1"), limit.take("10.0.0.1")]).toEqual([
    true,
    true,
    false,
  ]);
  expect(limit.take("10.0.0.2")).toBe(true);
  limit.giveBack("10.0.0.1");
  expect([limit.take("10.0.0.1"), limit.take("10.0.0.1")]).toEqual([true, false]);
});

test.each([
  ["10.0.0.1", "::ffff:10.0.0.1", true],
  ["10.0.0.1", "10.0.0.2", false],
  ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", true],
  ["2001:db8:1:2::1", "2001:db8:1:3::1", false],
  ["fe80::1", "fe80::2", true],
  ["::1", "::2", true],
])("%s and %s are counted as one: %s", (one, other, isSame) => {
  const limit = new AddressLimit(1);
  expect(limit.take(one)).toBe(true);
  expect(limit.take(other)).toBe(!isSame);
});
