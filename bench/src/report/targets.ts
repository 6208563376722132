// SPDX-License-Identifier: Apache-2.0

import type { SystemName } from "../plan.js";
import type { Sample, WorkloadName } from "../workload/sample.js";
import { type Result, systemCpuMs } from "./result.js";
import { median } from "./statistics.js";

/** A goal, and what was found. */
export interface Target {
  readonly name: string;
  /** What the value must be, for people; "" where it only explains another. */
  readonly wanted: string;
  /** Undefined where what it needs was not measured. */
  readonly value: number | undefined;
  readonly isMet: boolean | undefined;
  /** The most that could be found, where something else than Pawl bounds it and that was measured. */
  readonly ceiling?: number | undefined;
}

/** Commits of a lone chain of three activities, by the target. */
const chainCommits = 5;

/** The sizes that targets are about; 1 for all other workloads. */
const sizes: Readonly<Partial<Record<WorkloadName, number>>> = {
  "fan-out": 100,
  ...{ steps: 1000, events: 1000, sleep: 100_000, large: 1_000_000 },
};

type Find = (workload: WorkloadName, system: SystemName, atOnce: number) => Result | undefined;

/** Every target with its value. Ratios are medians of those of each round. */
export function assessTargets(results: readonly Result[]): Target[] {
  const find: Find = (workload, system, atOnce) =>
    results.find(
      (result) =>
        result.workload === workload &&
        result.system === system &&
        result.atOnce === atOnce &&
        result.size === (sizes[workload] ?? 1),
    );
  return [...againstRestate(find), ...againstLimits(find), ...alone(find)];
}

function againstRestate(find: Find): Target[] {
  const speed = (sample: Sample): number => sample.perSecond;
  const cpu = (sample: Sample): number => systemCpuMs(sample.cpuMs);
  const ratio = (
    workload: WorkloadName,
    system: SystemName,
    atOnce: number,
    read: typeof speed,
  ): number | undefined =>
    ratioOf(find(workload, system, atOnce), find(workload, "restate", atOnce), read);
  // The Go sidecar could not do 256 at once, nor JavaScript's worker with it 64.
  const sidecar = (worker: "go" | "js", atOnce: number): Pick<Target, "value" | "ceiling"> => {
    const goSidecar = find("chain", `go-sidecar-${worker}`, atOnce);
    return {
      value: ratioOf(find("chain", `sidecar-${worker}`, atOnce), goSidecar, speed),
      ceiling: ratioOf(find("limit", `ceiling-${worker}`, atOnce), goSidecar, speed),
    };
  };
  const shareOfCeiling = (worker: "go" | "js", atOnce: number): Target[] => {
    const ceiling = find("limit", `ceiling-${worker}`, atOnce);
    const value = ratioOf(find("chain", `sidecar-${worker}`, atOnce), ceiling, speed);
    const who = worker === "go" ? "Go" : "JS";
    const name = `sidecar service, ${who} worker at ${atOnce}: share of what this worker can do`;
    return value === undefined ? [] : [explained(name, value)];
  };
  return [
    atLeast("embedded chain at 256: times Restate", 10, ratio("chain", "embedded", 256, speed)),
    atMost("its CPU time: share of Restate's", 0.1, ratio("chain", "embedded", 256, cpu)),
    atLeast("chain over gRPC at 256: times Restate", 4, ratio("chain", "grpc", 256, speed)),
    atLeast("fan-out of 100, embedded: times Restate", 8, ratio("fan-out", "embedded", 8, speed)),
    atLeast("raising events, embedded: times Restate", 10, ratio("events", "embedded", 256, speed)),
    atLeast("sequential steps, embedded: times Restate", 3, ratio("steps", "embedded", 1, speed)),
    below("sidecar service, lone chain, Go worker: times the Go sidecar", 20, sidecar("go", 1)),
    below("sidecar service, lone chain, JS worker: times the Go sidecar", 20, sidecar("js", 1)),
    below("sidecar service, Go worker at 64: times the Go sidecar", 20, sidecar("go", 64)),
    below("sidecar service, JS worker at 16: times the Go sidecar", 20, sidecar("js", 16)),
    ...shareOfCeiling("go", 64),
    ...shareOfCeiling("js", 16),
  ];
}

function againstLimits(find: Find): Target[] {
  const lone = find("chain", "embedded", 1);
  const batch = find("limit", "replay", 1);
  const speed = (sample: Sample): number => sample.perSecond;
  const shares = (system: SystemName): number | undefined =>
    ratioOf(find("chain", "embedded", 256), find("limit", system, 256), speed);
  const again = find("limit", "replay", 256);
  // The run whose batches were written again: both of them on a store of the same age.
  const ofItsBatches = ratiosOf(again, again, engineSpeed, speed);
  const serverCpu = (sample: Sample): number => sample.cpuMs.server ?? Number.NaN;
  return [
    atLeast("embedded at 256: share of its own batches again", 0.5, ofItsBatches),
    explained(
      "embedded at 256, on a store of all rounds: share of a new store's",
      shares("replay"),
    ),
    explained("embedded at 256: share of the best group commit", shares("level")),
    atMost("lone chain, embedded: synced commits", chainCommits, lone?.commits),
    atMost(
      "lone chain, embedded: p50 in times of 5 synced batches",
      1.5,
      ratioOf(lone, batch, (sample) => sample.p50Ms, chainCommits),
    ),
    atMost(
      "unary gRPC call: server's CPU as a share of Connect's handler",
      0.25,
      ratioOf(find("limit", "calls", 64), find("limit", "connect-calls", 64), serverCpu),
    ),
  ];
}

function alone(find: Find): Target[] {
  const sleep = find("sleep", "embedded", 1);
  return [
    atMost(
      "1,000 steps: the last hundred in times of the first",
      1.2,
      find("steps", "embedded", 1)?.facts?.lastToFirst,
    ),
    atMost("start-up to the first ended workflow, ms", 500, find("start-up", "program", 1)?.p50Ms),
    atMost("100,000 sleepers: memory, MB", 400, sleep?.facts?.rssMb),
    atMost("100,000 sleepers: the last wakes late by, ms", 2000, sleep?.facts?.lastLateMs),
    atMost("start-up with 1,000,000 stored, ms", 3000, find("large", "program", 1)?.p50Ms),
  ];
}

/** The median of the ratios of two results' rounds. */
function ratioOf(
  result: Result | undefined,
  base: Result | undefined,
  read: (sample: Sample) => number,
  times = 1,
): number | undefined {
  return ratiosOf(result, base, read, (sample) => read(sample) * times);
}

/** The same of two figures. Rounds without them do not count. */
function ratiosOf(
  result: Result | undefined,
  base: Result | undefined,
  read: (sample: Sample) => number,
  readBase: (sample: Sample) => number,
): number | undefined {
  if (result === undefined || base === undefined) return undefined;
  const ratios = result.rounds.flatMap((sample, round) => {
    const other = base.rounds[round];
    return other === undefined ? [] : [read(sample) / readBase(other)];
  });
  const found = ratios.filter((ratio) => !Number.isNaN(ratio));
  return found.length === 0 ? undefined : median(found);
}

/** What the engine made of the run that `replay` writes again. */
function engineSpeed({ facts }: Sample): number {
  return facts?.enginePerSecond ?? Number.NaN;
}

function atLeast(name: string, least: number, value: number | undefined): Target {
  return {
    name,
    wanted: `≥ ${least}`,
    value,
    isMet: value === undefined ? undefined : value >= least,
  };
}

/** No goal of its own: it says what bounds others. */
function explained(name: string, value: number | undefined): Target {
  return { name, wanted: "", value, isMet: undefined };
}

/** At least so much, if a ceiling allows it. */
function below(
  name: string,
  least: number,
  { value, ceiling }: Pick<Target, "value" | "ceiling">,
): Target {
  return { ...atLeast(name, least, value), ceiling };
}

function atMost(name: string, most: number, value: number | undefined): Target {
  return {
    name,
    wanted: `≤ ${most}`,
    value,
    isMet: value === undefined ? undefined : value <= most,
  };
}
