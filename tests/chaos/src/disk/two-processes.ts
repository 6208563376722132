// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findFreePort } from "@pawl/free-port";
import type { Violation } from "../check/violation.ts";
import { type ServerEnding, ServerProcess } from "../process/server-process.ts";
import { Random } from "../random.ts";
import { Progress } from "./progress.ts";

/** What is run. */
export interface TwoProcessesOptions {
  readonly seed: number;
  readonly rounds: number;
  /** Told how it goes. @default nobody */
  readonly onProgress?: (line: string) => void;
}

/** What came of a run. */
export interface TwoProcessesReport {
  readonly seed: number;
  readonly rounds: number;
  readonly violations: readonly Violation[];
  readonly seconds: number;
}

const progressRounds = 10;
/** A server that neither answers nor ends by then is broken. */
const limitMs = 30_000;

/**
 * Starts two servers on one folder at the same moment, again and again: on a new folder, on one whose
 * server was killed, on one that was closed. One has to win, and the other to name it.
 */
export async function raceProcesses(options: TwoProcessesOptions): Promise<TwoProcessesReport> {
  const { seed, rounds } = options;
  const progress = new Progress(options.onProgress);
  const random = new Random(seed);
  const folder = await mkdtemp(join(tmpdir(), "pawl-two-"));
  const violations: Violation[] = [];
  try {
    for (let round = 1; round <= rounds; round += 1) {
      // Each folder is used three times: new, after a kill, after an end.
      const dataDir = join(folder, String(Math.floor((round - 1) / 3)));
      const isKilled = round % 3 === 1;
      const found = await race(dataDir, random.integer(0, 60), isKilled);
      violations.push(...found.map((what) => ({ rule: `round ${round}`, found: what })));
      if (round % progressRounds === 0) {
        progress.say(`${round} rounds, ${violations.length} violations`);
      }
    }
    return { seed, rounds, violations, seconds: progress.seconds };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Outcome = { readonly ending: ServerEnding } | "serves" | "neither";

async function race(dataDir: string, delayMs: number, isKilled: boolean): Promise<string[]> {
  const servers: ServerProcess[] = [];
  for (const waitMs of [0, delayMs]) {
    const port = await findFreePort();
    await sleep(waitMs);
    servers.push(new ServerProcess({ port, dataDir }));
  }
  const outcomes = await Promise.all(servers.map(outcomeOf));
  const found = judge(servers, outcomes);
  for (const server of servers) await (isKilled ? server.kill() : server.stop(limitMs));
  return found;
}

async function outcomeOf(server: ServerProcess): Promise<Outcome> {
  const late = sleep(limitMs, "neither" as const, { ref: false });
  const ending = server.ended.then((value) => ({ ending: value }));
  return Promise.race([server.ready.then(() => "serves" as const), ending, late]);
}

function judge(servers: readonly ServerProcess[], outcomes: readonly Outcome[]): string[] {
  const winner = outcomes.indexOf("serves");
  const other = outcomes[1 - winner];
  if (winner < 0) return [`nobody serves: ${JSON.stringify(outcomes)}`];
  if (other === undefined || typeof other === "string") return [`the other ${String(other)} too`];
  const { code, stderr } = other.ending;
  const lines = stderr.trim().split("\n");
  const pid = servers[winner]?.pid;
  const isNamed = stderr.includes(`in use by process ${pid} since`);
  return code === 1 && lines.length === 1 && isNamed
    ? []
    : [`the other does not name process ${pid}: code ${code}, ${stderr}`];
}
