// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeGrpcMessage } from "./grpc-status.js";

test("a message is read by decoders of URIs, and of their components", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const sent = encodeGrpcMessage(text);
      expect(sent).toMatch(/^(?! )[\x20-\x7e]*(?<! )$/);
      expect([decodeURI(sent), decodeURIComponent(sent)]).toEqual([text, text]);
    }),
  );
});

test.each([
  ["code = NotFound: 'a', 50 %", "code = NotFound: 'a', 50 %25"],
  ["größer", "gr%C3%B6%C3%9Fer"],
  ["a\nb\u{1f600}", "a%0Ab%F0%9F%98%80"],
  [" a ", "%20a%20"],
  ["\ud800", "%EF%BF%BD"],
])("%j travels as %s", (text, sent) => {
  expect(encodeGrpcMessage(text)).toBe(sent);
});
