// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { snappyUncompress } from "./snappy.js";

const text = (...parts: readonly (string | number)[]): Uint8Array =>
  Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.of(part))),
  );

describe("snappyUncompress()", () => {
  test.each([
    ["nothing", text(0), ""],
    ["a literal", text(5, 4 << 2, "hello"), "hello"],
    ["a copy with an offset of one byte", text(9, 4 << 2, "hello", 1, 5), "hellohell"],
    ["a copy that overlaps itself", text(8, 0, "a", (6 << 2) | 2, 1, 0), "aaaaaaaa"],
    [
      "a copy with an offset of four bytes",
      text(4, 1 << 2, "ab", (1 << 2) | 3, 2, 0, 0, 0),
      "abab",
    ],
    ["a literal with its length behind it", text(61, 60 << 2, 60, "x".repeat(61)), "x".repeat(61)],
  ])("takes %s apart", (_, compressed, expected) => {
    expect(Buffer.from(snappyUncompress(compressed)).toString()).toBe(expected);
  });

  test.each([
    ["ends early", text(5, 4 << 2, "hell")],
    ["has less than it says", text(6, 4 << 2, "hello")],
    ["has more than it says", text(4, 4 << 2, "hello")],
    ["copies from before its beginning", text(9, 4 << 2, "hello", 1, 6)],
    ["copies from nowhere", text(9, 4 << 2, "hello", 1, 0)],
  ])("refuses what %s", (_, compressed) => {
    expect(() => snappyUncompress(compressed)).toThrow(RangeError);
  });
});
