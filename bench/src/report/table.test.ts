// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import type { Result } from "./result.js";
import { formatTable } from "./table.js";

test("formatTable() aligns columns and leaves out what was not measured", () => {
  const result: Result = {
    bench: "embedded",
    title: "embedded",
    unit: "workflow",
    atOnce: 64,
    perSecond: 1234.5,
    p50Ms: 0.1234,
    p99Ms: 123.4,
    cpuMs: { bench: 1.5 },
    ofLimit: 0.345,
    otherCpuShare: 0,
    rounds: [],
  };

  const lines = formatTable([result]).trimEnd().split("\n");

  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  const cells = lines[2]?.split("|").map((cell) => cell.trim());
  expect(cells?.slice(1, -1)).toEqual(
    ["embedded", "64", "1235", "35 %", "0.123", "123", "", "1.50", "", "", "0 %"], //
  );
});
