// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { DaprError } from "../../dapr/error.js";
import { parseTags, tagsHeader } from "./tags-header.js";

describe("parseTags()", () => {
  test.each([
    ["", {}],
    [" ; , ", {}],
    ["a=1", { a: "1" }],
    ["a=1; b=2", { a: "1", b: "2" }],
    ["a=1,b=2;;c=3;", { a: "1", b: "2", c: "3" }],
    ["a = two words ;b=", { a: "two words", b: "" }],
    ["a=b=c", { a: "b=c" }],
    ['a="1; 2, 3"; b=""', { a: "1; 2, 3", b: "" }],
    ['a="say \\"hi\\" \\\\"', { a: 'say "hi" \\' }],
    ["a%3D=%22%3B%2C%25", { "a=": '";,%' }],
    ['a="%C3%A4"', { a: "ä" }],
    [Buffer.from("größe=ä").toString("latin1"), { größe: "ä" }],
    ["__proto__=1", Object.fromEntries([["__proto__", "1"]])],
  ])("reads %s", (value, tags) => {
    expect(parseTags([tagsHeader, value])).toEqual(tags);
  });

  test("takes the header as often as it comes, in any case, and no other", () => {
    const raw = ["Dapr-Workflow-Metadata", "a=1", "host", "b=2", tagsHeader, "c=3"];

    expect(parseTags(raw)).toEqual({ a: "1", c: "3" });
  });

  test.each([
    ["a", "no value"],
    ["a;b=1", "no value"],
    ["=1", "a key is expected"],
    ['"a"=1', "a key is expected"],
    ['a="1', "quotation mark"],
    ['a="1" 2', "quotation mark"],
    ['a=1"2', "quotation mark"],
    ["a=%", "bad escape"],
    ["a=%ff", "bad escape"],
    ["%zz=1", "bad escape"],
    ["a=\u00ff", "not valid UTF-8"],
    ["a=1; a=2", "given twice"],
  ])("refuses %s", (value, cause) => {
    expect(() => parseTags([tagsHeader, value])).toThrow(DaprError);
    expect(() => parseTags([tagsHeader, value])).toThrow(cause);
  });

  test("refuses a key that two headers have", () => {
    expect(() => parseTags([tagsHeader, "a=1", tagsHeader, "a=1"])).toThrow("given twice");
  });
});
