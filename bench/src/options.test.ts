// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { parseOptions, UsageError } from "./options.js";

describe("parseOptions()", () => {
  test("takes medians over five rounds of all but peers and a large store by default", () => {
    const { rounds, peers, only, out } = parseOptions([]);
    const found = { rounds, peers, chain: only.has("chain"), large: only.has("large"), out };
    expect(found).toEqual({ rounds: 5, peers: false, chain: true, large: false, out: undefined });
  });

  test("reads every flag", () => {
    const flags = ["--rounds", "2", "--patience", "9", "--only", "limit,chain", "--out", "a.json"];
    expect(parseOptions(["--", "--quick", "--peers", "--systems", "grpc", ...flags])).toMatchObject(
      {
        quick: true,
        peers: true,
        rounds: 2,
        patienceMs: 9000,
        only: new Set(["limit", "chain"]),
        systems: new Set(["grpc"]),
        out: "a.json",
      },
    );
  });

  test("adds the large store to the usual workloads", () => {
    expect(parseOptions(["--large"]).only.has("large")).toBe(true);
  });

  test.each([
    ["an unknown flag", ["--fast"]],
    ["an unknown workload", ["--only", "disk"]],
    ["an unknown system", ["--systems", "abacus"]],
    ["no rounds", ["--rounds", "0"]],
    ["rounds that are no number", ["--rounds", "many"]],
    ["patience without an end", ["--patience", "Infinity"]],
  ])("refuses %s", (_what, line) => {
    expect(() => parseOptions(line)).toThrow(UsageError);
  });
});
