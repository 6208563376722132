// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import type { Bench, Sample } from "../bench.js";
import { summarize } from "./result.js";

function bench(rest: Pick<Bench, "name"> & Partial<Bench>): Bench {
  return {
    title: rest.name,
    unit: "workflow",
    measure: () => Promise.reject(new Error("not measured here")),
    ...rest,
  };
}

function sample(perSecond: number, rest: Partial<Sample> = {}): Sample {
  const latencies = { p50Ms: 1, p99Ms: 2 };
  return { items: 1, perSecond, ...latencies, cpuMs: {}, otherCpuShare: 0, ...rest };
}

test("summarize() takes medians, and holds each round against the limit's same round", () => {
  const limited = bench({ name: "grpc", limit: { bench: "call", perItem: 2 } });
  const rounds = [10, 40, 90].map((rate) =>
    sample(rate, { cpuMs: { bench: rate / 10 }, otherCpuShare: rate / 100 }),
  );

  const [limit, result] = summarize([
    { bench: bench({ name: "call" }), atOnce: 64, rounds: [100, 100, 300].map((n) => sample(n)) },
    { bench: limited, atOnce: 64, rounds },
  ]);

  expect(limit).toMatchObject({ perSecond: 100 });
  expect(limit).not.toHaveProperty("ofLimit");
  expect(result).toMatchObject({
    perSecond: 40,
    cpuMs: { bench: 4 },
    ofLimit: 0.6,
    otherCpuShare: 0.4,
  });
});

test("summarize() gives no share of a limit that was not measured at the same load", () => {
  const limited = bench({ name: "embedded", limit: { bench: "level", perItem: 1 } });

  const [, result] = summarize([
    { bench: bench({ name: "level" }), atOnce: 1, rounds: [sample(1)] },
    { bench: limited, atOnce: 64, rounds: [sample(1)] },
  ]);

  expect(result).not.toHaveProperty("ofLimit");
});
