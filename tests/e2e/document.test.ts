// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { matchesOutput, parseDocument } from "./document.js";

describe("parseDocument()", () => {
  test("joins a block with what it prints and says what is not run", () => {
    const text = [
      "```bash",
      "curl x",
      "```",
      "It answers:",
      "<!-- prints -->",
      "```json",
      '{"a": 1}',
      "```",
      "<!-- not run: it does not end -->",
      "```bash",
      "npm start",
      "```",
    ].join("\n");
    expect(parseDocument(text)).toEqual([
      { language: "bash", text: "curl x", line: 1, prints: '{"a": 1}' },
      { language: "bash", text: "npm start", line: 10, notRun: "it does not end" },
    ]);
  });
});

describe("matchesOutput()", () => {
  test.each([
    ['{"a":1,"b":{"c":"x","d":2}}', '{"a": 1, "b": {"c": "…"}}', true],
    ['{"a":2}', '{"a": 1}', false],
    ['{"b":1}', '{"a": "…"}', false],
    ["one\ntwo\nthree 3\n", "one\nthree …", true],
    ["two\none", "one\ntwo", false],
  ])("%j as %j: %s", (actual, shown, expected) => {
    expect(matchesOutput(actual, shown)).toBe(expected);
  });
});
