// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { noEntries, noItems, withEntry, withItem, without } from "./sparse.js";

test("what is put into an empty map or set is not in any other", () => {
  const one = withEntry(noEntries<number, string>(), 1, "a");
  const other = withEntry(noEntries<number, string>(), 2, "b");
  expect([...one, ...other]).toEqual([
    [1, "a"],
    [2, "b"],
  ]);
  expect([...withItem(noItems<number>(), 3), ...withItem(noItems<number>(), 4)]).toEqual([3, 4]);
  expect(noEntries<number, string>().size + noItems<number>().size).toBe(0);
});

test("what is not empty is written to in place", () => {
  const map = withEntry(noEntries<number, string>(), 1, "a");
  expect(withEntry(map, 2, "b")).toBe(map);
  const set = withItem(noItems<number>(), 1);
  expect(withItem(set, 2)).toBe(set);
  without(map, 1);
  without(set, 1);
  expect([...map.keys(), ...set]).toEqual([2, 2]);
});
