// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32c, maskedCrc32c } from "./crc32c.js";

describe("crc32c()", () => {
  // RFC 3720, appendix B.4, and the usual check value.
  test.each([
    ["32 zeros", new Uint8Array(32), 0x8a9136aa],
    ["32 ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ["0 to 31", Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
    ["digits", Buffer.from("123456789"), 0xe3069283],
    ["nothing", new Uint8Array(), 0],
  ])("is right for %s", (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  test("goes on from a part", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(crc32c(b, crc32c(a))).toBe(crc32c(Buffer.concat([a, b])));
        expect(maskedCrc32c(a, b)).toBe(maskedCrc32c(Buffer.concat([a, b])));
      }),
    );
  });
});
