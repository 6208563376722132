// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { TurnoverSet } from "./turnover-set.js";

const [a, b, c] = [{ name: "a" }, { name: "b" }, { name: "c" }];

test("has each member until it is deleted from its place", () => {
  const set = new TurnoverSet<object>();
  const [first, second] = [set.add(a), set.add(b)];
  expect([[...set], set.size]).toEqual([
    [
      [first, a],
      [second, b],
    ],
    2,
  ]);
  expect([set.delete(first, a), [...set], set.size]).toEqual([true, [[second, b]], 1]);
});

test("does not delete who has a member's place after it", () => {
  const set = new TurnoverSet<object>();
  const place = set.add(a);
  set.delete(place, a);
  expect(set.delete(place, a)).toBe(false);
  expect(set.add(c)).toBe(place);
  expect([set.delete(place, a), [...set]]).toEqual([false, [[place, c]]]);
});

test("lets members be deleted while it is gone through", () => {
  const set = new TurnoverSet<object>();
  set.add(a);
  const second = set.add(b);
  set.add(c);
  const seen: object[] = [];
  for (const [place, member] of set) {
    seen.push(member);
    set.delete(place, member);
    if (member === a) set.delete(second, b);
  }
  expect([seen, set.size]).toEqual([[a, c], 0]);
});
