// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Operation, parseTrace, tracedCalls } from "./trace.ts";

const recordMain = join(import.meta.dirname, "..", "record-main.ts");

/** What is recorded. */
export interface RecordOptions {
  readonly dataDir: string;
  readonly seed: number;
  /** Instances in all. */
  readonly instances: number;
  /** Times that the engine is opened and closed. */
  readonly lives: number;
  /** For the trace while it is made. */
  readonly scratch: string;
}

/** Runs an engine under load with `strace`, and returns all that it did to files, with its notes. */
export async function record(options: RecordOptions): Promise<Operation[]> {
  const { dataDir, seed, instances, lives, scratch } = options;
  const trace = join(scratch, "trace");
  const how = ["-f", "--seccomp-bpf", "-xx", "-s", "100000000", "-o", trace];
  const run = [
    process.execPath,
    recordMain,
    dataDir,
    String(seed),
    String(instances),
    String(lives),
  ];
  const child = spawn("strace", [...how, "-e", `trace=${tracedCalls.join()}`, ...run], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`the recorded run ended with code ${code}`);
  const operations = parseTrace(await readFile(trace, "latin1"));
  await rm(trace);
  return operations;
}
