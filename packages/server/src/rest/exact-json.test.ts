// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { memberText } from "./exact-json.js";

test.each([
  ["12345678901234567890", "12345678901234567890"],
  ["1e400", "1e400"],
  ["-0", "-0"],
  ["1.0", "1.0"],
  [
    '{ "id": 9007199254740993, "list": [1.50, null, true, "2"] }',
    '{"id":9007199254740993,"list":[1.50,null,true,"2"]}',
  ],
  ['"text"', '"text"'],
  ["null", "null"],
])("gives %s as it was written", (data, text) => {
  expect(memberText(`{"before": 1, "data": ${data}}`, "data")).toBe(text);
});

test("gives nothing where there is none", () => {
  expect(memberText('{"other": 1}', "data")).toBeUndefined();
  expect(memberText('{"other": 1}', "toString")).toBeUndefined();
  expect(memberText("[1]", "data")).toBeUndefined();
  expect(memberText("1", "data")).toBeUndefined();
});

test("refuses what is nested too deeply", () => {
  const deep = `{"data": ${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
  expect(() => memberText(deep, "data")).toThrow(RangeError);
});
