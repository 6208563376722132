// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { parsePayload, stringifyPayload } from "./payload.js";

describe("stringifyPayload()", () => {
  test("leaves undefined out", () => {
    expect(stringifyPayload(undefined)).toBeUndefined();
  });

  test("refuses what JSON cannot say", () => {
    expect(() => stringifyPayload(1n)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  test("counts bytes, not characters", () => {
    const fits = "a".repeat(limits.payloadBytes - 2);
    expect(stringifyPayload(fits)).toHaveLength(limits.payloadBytes);
    const tooLarge = expect.objectContaining({ code: "PAYLOAD_TOO_LARGE" });
    expect(() => stringifyPayload(`${fits}a`)).toThrow(tooLarge);
    expect(() => stringifyPayload("é".repeat(limits.payloadBytes / 2))).toThrow(tooLarge);
  });
});

describe("parsePayload()", () => {
  test("takes absent and empty text as undefined", () => {
    expect(parsePayload(undefined)).toBeUndefined();
    expect(parsePayload("")).toBeUndefined();
  });

  test("hands over text that is not JSON", () => {
    expect(parsePayload("hello there")).toBe("hello there");
  });
});
