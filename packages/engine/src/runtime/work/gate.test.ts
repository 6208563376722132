// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { Gate } from "./gate.js";

test("holds nothing back without limits", () => {
  const gate = new Gate(0, { a: 0, b: -1 });
  for (let count = 0; count < 1000; count += 1) gate.enter("a");
  expect(gate.holdOf("a")).toBeUndefined();
});

test("holds every name back at the limit of all", () => {
  const gate = new Gate(2);
  gate.enter("a");
  expect(gate.holdOf("b")).toBeUndefined();
  gate.enter("b");
  expect(gate.holdOf("c")).toEqual({ limit: 2 });
  gate.leave("a");
  expect(gate.holdOf("c")).toBeUndefined();
});

test("holds one name back at its own limit, and says so", () => {
  const gate = new Gate(3, { a: 1 });
  gate.enter("a");
  expect(gate.holdOf("a")).toEqual({ name: "a", limit: 1 });
  expect(gate.holdOf("b")).toBeUndefined();
});
