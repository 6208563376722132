// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { listTests } from "./rules.mjs";

describe("listTests()", () => {
  test("finds what runs as a test, and nothing else of the same text", () => {
    const text = [
      'describe("a group", () => {',
      '  test("one", () => {});',
      '  test.each([1])("many: %s", () => {});',
      "  test.skipIf(isWindows)(`two`, () => {});",
      '  test.skip("never", () => {});',
      '  test.todo("later");',
      '  // test("in words", () => {});',
      '  expect("three", "four");',
      "});",
    ].join("\n");
    expect([...listTests("a.test.ts", text)]).toEqual(["one", "many: %s", "two"]);
  });
});
