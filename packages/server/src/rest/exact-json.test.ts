// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exactly, memberText, toJsonText } from "./exact-json.js";

const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;

describe("memberText()", () => {
  test.each([
    "12345678901234567890",
    "1e400",
    "-0",
    "1.0",
    '{ "id": 9007199254740993, "list": [1.50, null, true, "2"] }',
    '"text"',
    '"\\"}, \\\\"',
    "null",
    "[]",
    deep,
  ])("gives the text %# as it was written", (data) => {
    expect(memberText(`{"before": 1, "data": ${data}}`, "data")).toBe(data);
    expect(memberText(`{ "data"\n:\t${data} , "after": [{"data": 1}] }`, "data")).toBe(data);
  });

  test("gives nothing where there is none", () => {
    expect(memberText('{"other": {"data": 1}}', "data")).toBeUndefined();
    expect(memberText('{"other": "data"}', "data")).toBeUndefined();
    expect(memberText('{"other": 1}', "toString")).toBeUndefined();
    expect(memberText("{}", "data")).toBeUndefined();
  });

  test("finds the last of the members with a name, however that is written", () => {
    const name = fc.constantFrom("data", '"', "\\", "\u2028", "{", "");
    const member = fc.tuple(name, fc.json({ maxDepth: 3 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(member, { maxLength: 6 }), name, (members, wanted) => {
        const body = members.map(([key, value, isEscaped]) => {
          const written = isEscaped ? `"${escaped(key)}"` : JSON.stringify(key);
          return `${written} : ${value}`;
        });
        const text = `{${body.join(" ,\n")}}`;
        // V8's own JSON.parse may take an escaped name that comes again for another one.
        const last = members.findLast(([key]) => key === wanted);
        expect(memberText(text, wanted)).toBe(last?.[1]);
      }),
    );
  });
});

/** Every character of a text as an escape. */
function escaped(text: string): string {
  return Array.from(text, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`).join(
    "",
  );
}

describe("an answer", () => {
  test("has JSON texts in it as they were written", () => {
    const texts = ['{"id":9007199254740993,"list":[1.50,-0]}', '"a $& b"', " 1e400"];
    const answer = { before: 1, texts: texts.map(exactly), after: "x" };
    expect(toJsonText(answer)).toBe(`{"before":1,"texts":[${texts.join()}],"after":"x"}`);
    expect(toJsonText({ again: exactly("1.0") })).toBe('{"again":1.0}');
  });

  test("has JSON texts of several lines in one", () => {
    expect(toJsonText(exactly('{\r\n  "a": [\n1]\n}'))).toBe('{  "a": [1]}');
  });

  test.each(["", "no JSON", "[1", deep, `{"a":${"[".repeat(900)}${"]".repeat(900)}}`])(
    "has as text what readers could not read (%#)",
    (text) => {
      expect(JSON.parse(toJsonText({ text: exactly(text) }))).toEqual({ text });
    },
  );
});
