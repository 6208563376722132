// SPDX-License-Identifier: Apache-2.0

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Violation } from "../check/violation.ts";
import { Progress } from "./progress.ts";

const fullMain = join(import.meta.dirname, "full-main.ts");

/** What is run. */
export interface FullDiskOptions {
  readonly seed: number;
  /** Times that the disk is full. */
  readonly rounds: number;
  /** A round whose load does not fill the disk within this is given up. @default 20000 */
  readonly fillLimitMs?: number;
  /** Told how it goes. @default nobody */
  readonly onProgress?: (line: string) => void;
}

/** What came of a run. */
export interface FullDiskReport {
  readonly seed: number;
  /** Rounds in which a write failed for lack of space. */
  readonly full: number;
  readonly rounds: number;
  readonly instances: number;
  /** Milliseconds from the moment at which there is space again to the next acknowledged start. */
  readonly backMs: readonly number[];
  readonly violations: readonly Violation[];
  readonly seconds: number;
}

/** A file system in memory, of limited size, that nobody else sees and that goes with its process. */
const mount = 'mount -t tmpfs -o size=$2m none "$1" && shift 2 && exec "$@"';
/** Its size: what a round leaves behind is some hundred kilobytes, and twice that while it is compacted. */
const sizeMb = (rounds: number): number => 96 + 2 * rounds;
const progressRounds = 20;

/** The command that gives a process mounts of its own; undefined where there is none. */
export function findUnshare(): readonly string[] | undefined {
  const ways = [
    ["unshare", "--mount"],
    ["unshare", "--mount", "--map-root-user"],
  ];
  const probe = ["sh", "-c", "mount -t tmpfs none /tmp"];
  return ways.find(([program = "", ...how]) => spawnSync(program, [...how, ...probe]).status === 0);
}

/**
 * Lets the disk run full under an engine at work, at another offset each time, then gives it space
 * again, and checks that it serves again by itself and has lost nothing.
 */
export async function fillDisk(options: FullDiskOptions): Promise<FullDiskReport> {
  const { seed, rounds, fillLimitMs = 20_000 } = options;
  const [program, ...how] = findUnshare() ?? [];
  if (program === undefined)
    throw new Error("no mounts of one's own can be had here: unshare fails");
  const progress = new Progress(options.onProgress);
  const folder = await mkdtemp(join(tmpdir(), "pawl-full-"));
  const run = [process.execPath, fullMain, folder, `${seed}`, `${rounds}`, `${fillLimitMs}`];
  const mounted = ["sh", "-c", mount, "sh", folder, String(sizeMb(rounds))];
  const child = spawn(program, [...how, ...mounted, ...run], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const violations: Violation[] = [];
  const backMs: number[] = [];
  let full = 0;
  let instances = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as RoundLine | EndLine;
    if ("violations" in said) {
      instances = said.instances;
      violations.push(...said.violations);
      const { refusal } = said;
      if (refusal !== undefined) {
        violations.push({ rule: "the folder opens", found: `${refusal.code}: ${refusal.message}` });
      }
      continue;
    }
    backMs.push(said.backMs);
    if (said.isFull) full += 1;
    if (!said.isBack) violations.push({ rule: "it serves again by itself", found: line });
    if (said.round % progressRounds === 0)
      progress.say(`full ${full} times in ${said.round} rounds`);
  }
  const [code] = await ended;
  await rm(folder, { recursive: true });
  if (full === 0) {
    const found = `in none of ${rounds} rounds: nothing was tested`;
    violations.push({ rule: "the disk runs full", found });
  }
  if (code !== 0) violations.push({ rule: "the engine's process lives", found: `code ${code}` });
  return { seed, full, rounds, instances, backMs, violations, seconds: progress.seconds };
}

interface RoundLine {
  readonly round: number;
  readonly isFull: boolean;
  readonly isBack: boolean;
  readonly backMs: number;
}

interface EndLine {
  readonly instances: number;
  readonly refusal?: { readonly code: string; readonly message: string };
  readonly violations: readonly Violation[];
}
