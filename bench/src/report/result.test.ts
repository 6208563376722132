// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import type { Sample } from "../workload/sample.js";
import { summarize, systemCpuMs } from "./result.js";

const of = { workload: "chain", system: "grpc", title: "t", size: 1, atOnce: 64 } as const;

function sample(perSecond: number, rest: Partial<Sample> = {}): Sample {
  const latencies = { p50Ms: 1, p99Ms: 2 };
  return { items: 1, perSecond, ...latencies, cpuMs: {}, otherCpuShare: 0, ...rest };
}

describe("summarize()", () => {
  test("takes medians of every figure, and keeps the rounds", () => {
    const rounds = [10, 90, 40].map((rate) =>
      sample(rate, {
        cpuMs: { driver: rate / 10 },
        otherCpuShare: rate / 100,
        facts: { rssMb: rate * 2 },
      }),
    );

    expect(summarize(of, rounds)).toMatchObject({
      ...of,
      perSecond: 40,
      cpuMs: { driver: 4 },
      otherCpuShare: 0.4,
      facts: { rssMb: 80 },
      rounds,
    });
  });

  test("has no commits and no facts where none were counted", () => {
    const result = summarize(of, [sample(1)]);

    expect(result).not.toHaveProperty("commits");
    expect(result).not.toHaveProperty("facts");
  });
});

describe("systemCpuMs() adds up what runs the system", () => {
  test.each<[string, Sample["cpuMs"], number]>([
    ["all in one process", { driver: 3 }, 3],
    ["a server and a worker, not what drives them", { driver: 3, server: 5, worker: 7 }, 12],
    ["a database and the process that drives and works", { driver: 3, server: 5 }, 8],
  ])("%s", (_what, cpuMs, expected) => {
    expect(systemCpuMs(cpuMs)).toBe(expected);
  });
});
