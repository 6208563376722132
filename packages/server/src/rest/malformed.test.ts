// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { malformedBody } from "./malformed.js";

function thrownBy(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return error;
  }
}

test.each([
  "secret",
  '{"a":secret}',
  `{"a":secret, "b": "${"x".repeat(100)}"}`,
  `{"b": "${"x".repeat(100)}", "a":secret}`,
  `{"b": "x",\n "a":secret\n, "c": "${"x".repeat(100)}"}`,
])("a malformed body is not quoted: %j", (body) => {
  const { message } = malformedBody(thrownBy(body));
  expect(message).toBe("failed deserializing HTTP body: Unexpected token 's'");
});

test("a malformed body is described", () => {
  expect(malformedBody(thrownBy('{"a":1')).message).toContain("JSON at position 6");
  expect(malformedBody('"type" must be a string').message).toContain('"type" must be a string');
});
