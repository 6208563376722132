// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { parseOptions, UsageError } from "./options.js";

describe("parseOptions()", () => {
  test("takes medians over three rounds of everything by default", () => {
    const { rounds, only, out } = parseOptions([]);
    expect({ rounds, count: only.size, out }).toEqual({ rounds: 3, count: 5, out: undefined });
  });

  test("reads every flag", () => {
    const flags = ["--rounds", "2", "--patience", "9", "--only", "level,grpc", "--out", "a.json"];
    expect(parseOptions(["--", "--quick", ...flags])).toMatchObject({
      rounds: 2,
      patienceMs: 9000,
      only: new Set(["level", "grpc"]),
      out: "a.json",
    });
  });

  test.each([
    ["an unknown flag", ["--fast"]],
    ["an unknown name", ["--only", "disk"]],
    ["no rounds", ["--rounds", "0"]],
    ["rounds that are no number", ["--rounds", "many"]],
    ["patience without an end", ["--patience", "Infinity"]],
  ])("refuses %s", (_what, line) => {
    expect(() => parseOptions(line)).toThrow(UsageError);
  });
});
