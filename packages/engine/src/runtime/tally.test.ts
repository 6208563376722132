// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { Tally } from "./tally.js";

test("counts by name and in all", () => {
  const tally = new Tally();
  for (const name of ["a", "b", "a"]) tally.add(name);
  expect([tally.of("a"), tally.of("b"), tally.of("c"), tally.total]).toEqual([2, 1, 0, 3]);
  tally.remove("a");
  tally.remove("b");
  expect([tally.of("a"), tally.of("b"), tally.total]).toEqual([1, 0, 1]);
});
