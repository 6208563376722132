// SPDX-License-Identifier: Apache-2.0

import type { PeerName } from "./peer/peers.js";
import type { Task, WorkloadName } from "./workload/sample.js";

/** Everything that is measured. */
export const systemNames = [
  "level",
  "replay",
  "calls",
  "connect-calls",
  "stream",
  "ceiling-go",
  "ceiling-js",
  "ports",
  "embedded",
  "grpc",
  "program",
  "sidecar-go",
  "sidecar-js",
  "restate",
  "dbos",
  "in-memory",
  "go-sidecar-go",
  "go-sidecar-js",
] as const;

/** The name of what is measured. */
export type SystemName = (typeof systemNames)[number];

/** How a system is opened, and what it is called. */
export interface SystemSpec {
  readonly title: string;
  /** The module that opens it, in `dist/`; a peer has its own. */
  readonly module: string;
  readonly options?: Readonly<Record<string, string>>;
  /** What has to be installed for it. */
  readonly needs?: readonly PeerName[];
  /** It uses a core while it has nothing to do: open only while it is measured. */
  readonly isRestless?: true;
}

/** All systems. */
export const systems: Readonly<Record<SystemName, SystemSpec>> = {
  level: { title: "LevelDB, chains in step", module: "limit/disk.js", options: { together: "" } },
  replay: { title: "LevelDB, the engine's batches again", module: "limit/disk.js" },
  calls: { title: "no-op gRPC calls", module: "limit/wire.js", options: { what: "call" } },
  "connect-calls": {
    title: "no-op gRPC calls, Connect's handler",
    module: "limit/wire.js",
    options: { what: "connect-call" },
  },
  stream: { title: "messages on a stream", module: "limit/wire.js", options: { what: "stream" } },
  "ceiling-go": {
    title: "Durable Task Go worker, recorded work",
    module: "limit/worker/worker-ceiling.js",
    options: { worker: "go" },
    needs: ["go"],
  },
  "ceiling-js": {
    title: "Durable Task JS worker, recorded work",
    module: "limit/worker/worker-ceiling.js",
    options: { worker: "javascript" },
    needs: ["javascript"],
  },
  ports: {
    title: "Pawl, engine's ports only",
    module: "system/embedded.js",
    options: { ports: "" },
  },
  embedded: { title: "Pawl embedded", module: "system/embedded.js" },
  grpc: { title: "Pawl over gRPC", module: "system/remote.js" },
  program: { title: "Pawl", module: "system/program.js" },
  "sidecar-go": {
    title: "Pawl, Durable Task Go worker",
    module: "system/sidecar.js",
    options: { server: "pawl", worker: "go" },
    needs: ["go"],
  },
  "sidecar-js": {
    title: "Pawl, Durable Task JS worker",
    module: "system/sidecar.js",
    options: { server: "pawl", worker: "javascript" },
    needs: ["go", "javascript"],
  },
  restate: { title: "Restate", module: "system/restate.js", needs: ["restate"] },
  dbos: { title: "DBOS, PostgreSQL", module: "system/dbos.js", needs: ["dbos"] },
  "in-memory": {
    title: "Durable Task in memory (not durable)",
    module: "system/in-memory.js",
    needs: ["in-memory"],
    isRestless: true,
  },
  "go-sidecar-go": {
    title: "Go sidecar, SQLite, Go worker",
    module: "system/sidecar.js",
    options: { server: "go", worker: "go" },
    needs: ["go"],
    isRestless: true,
  },
  "go-sidecar-js": {
    title: "Go sidecar, SQLite, JS worker",
    module: "system/sidecar.js",
    options: { server: "go", worker: "javascript" },
    needs: ["go", "javascript"],
    isRestless: true,
  },
};

/** One line of the results: a system, what it is asked for, and how hard. */
export interface Case {
  readonly system: SystemName;
  readonly workload: WorkloadName;
  readonly size: number;
  readonly atOnce: number;
  /** Measured in the first round only, on a system opened for it. */
  readonly once?: true;
}

/** What is measured at which numbers at once. A limit stands before what is held against it. */
const byLoad: readonly (readonly [WorkloadName, SystemName, readonly number[]])[] = [
  ["limit", "level", [1, 64, 256, 1024]],
  ["limit", "replay", [1, 64, 256, 1024]],
  ["chain", "ports", [1, 64, 256]],
  ["chain", "embedded", [1, 64, 256, 1024]],
  ["chain", "restate", [1, 64, 256, 1024]],
  ["chain", "dbos", [1, 64, 256]],
  ["chain", "in-memory", [1, 64, 256]],
  ["limit", "calls", [1, 64, 256]],
  ["limit", "connect-calls", [1, 64, 256]],
  ["limit", "stream", [1, 64, 256]],
  ["chain", "grpc", [1, 64, 256, 1024]],
  ["limit", "ceiling-go", [64]],
  ["limit", "ceiling-js", [16]],
  ["chain", "sidecar-go", [1, 16, 64, 256]],
  ["chain", "sidecar-js", [1, 16]],
  ["chain", "go-sidecar-go", [1, 16, 64]],
  ["chain", "go-sidecar-js", [1, 16]],
];

const loads = [1, 16, 64, 256, 1024];

/** Systems that are held against each other beyond the chain. */
const compared = ["embedded", "grpc", "restate", "dbos"] as const;

/** All cases, in the order of measuring. `isQuick`: small ones that show that everything runs. */
export function planCases(isQuick: boolean): Case[] {
  const chains = (isQuick ? [1, 16] : loads).flatMap((atOnce) =>
    byLoad
      .filter(([, , own]) => own.includes(atOnce))
      .map(([workload, system]): Case => ({ workload, system, size: 1, atOnce })),
  );
  const wide = compared.map((system): Case => fanOutCase(system, isQuick ? 20 : 100, 8));
  const wider: Case[] = [fanOutCase("embedded", isQuick ? 50 : 1000, 1)];
  const steps = [...compared].map((system): Case => {
    return { workload: "steps", system, size: isQuick ? 250 : 1000, atOnce: 1 };
  });
  const events = [...compared].map((system): Case => {
    return { workload: "events", system, size: isQuick ? 20 : 1000, atOnce: 256 };
  });
  const sleepers = isQuick ? 200 : 100_000;
  return [
    ...chains,
    ...[...wide, ...wider, ...steps, ...events],
    { workload: "start-up", system: "program", size: 1, atOnce: 1 },
    { workload: "rest", system: "program", size: 1, atOnce: 1 },
    { workload: "sleep", system: "embedded", size: sleepers, atOnce: 1, once: true },
    {
      workload: "large",
      system: "program",
      size: isQuick ? 2000 : 1_000_000,
      atOnce: 1,
      once: true,
    },
  ];
}

function fanOutCase(system: SystemName, size: number, atOnce: number): Case {
  return { workload: "fan-out", system, size, atOnce };
}

/** What a case asks of its system. */
export function taskOf(
  { workload, size, atOnce }: Case,
  window: Pick<Task, "warmUpMs" | "measureMs">,
): Task {
  return { workload, size, atOnce, ...window };
}
