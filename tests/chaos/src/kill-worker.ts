// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient } from "@pawl/client";
import { findFreePort } from "@pawl/free-port";
import { check } from "./check/check.ts";
import { observe } from "./check/observe.ts";
import { checkReplays } from "./check/replays.ts";
import { type FoundRuns, readRuns } from "./check/runs.ts";
import type { Violation } from "./check/violation.ts";
import { workflows } from "./load/definitions.ts";
import { Ledger } from "./load/ledger.ts";
import { Load } from "./load/load.ts";
import { waitForAll } from "./load/wait-for-all.ts";
import { ServerProcess } from "./process/server-process.ts";
import { WorkerProcess } from "./process/worker-process.ts";
import { Random } from "./random.ts";

/** After the last kill, everything that was begun must be through within this. */
const drainMs = 90_000;
const stopGraceMs = 20_000;
/** Kills between two lines of progress. */
const progressKills = 10;
/** A worker that is given no activity for so long is killed all the same. */
const patienceMs = 2_000;

/** What is run. */
export interface KillWorkerOptions {
  readonly seed: number;
  /** Kills in all. */
  readonly kills: number;
  /** Workers side by side. @default 2 */
  readonly workers?: number;
  /** Scenarios side by side. @default 24 */
  readonly actors?: number;
  /** Told how it goes. @default nobody */
  readonly onProgress?: (line: string) => void;
}

/** What came of a run. */
export interface KillWorkerReport {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly kills: number;
  /** Activities that a kill cut off. */
  readonly interrupted: number;
  readonly instances: number;
  readonly historyEvents: number;
  readonly activities: { readonly runs: number; readonly tasks: number };
  readonly seconds: number;
}

/**
 * Kills workers with SIGKILL in the middle of their activities, one after the other, and checks
 * that everything ends as it should. The server lives.
 */
export async function killWorker(options: KillWorkerOptions): Promise<KillWorkerReport> {
  const folder = await mkdtemp(join(tmpdir(), "pawl-chaos-"));
  const port = await findFreePort();
  const server = new ServerProcess({ port, dataDir: join(folder, "data") });
  const run = new KillWorkerRun(options, `http://127.0.0.1:${port}`, folder);
  try {
    await Promise.race([server.ready, server.ended]);
    const report = await run.run();
    const { code, stderr } = await server.stop(stopGraceMs);
    if (code === 0) return report;
    const found = `code ${code}: ${stderr}`;
    return {
      ...report,
      violations: [...report.violations, { rule: "SIGTERM ends with code 0", found }],
    };
  } finally {
    await run.discard();
    await server.kill();
    await rm(folder, { recursive: true });
  }
}

class KillWorkerRun {
  readonly #options: KillWorkerOptions;
  readonly #url: string;
  readonly #folder: string;
  readonly #client: Client;
  readonly #ledger = new Ledger();
  readonly #violations: Violation[] = [];
  readonly #started: WorkerProcess[] = [];
  readonly #startedAt = performance.now();

  constructor(options: KillWorkerOptions, url: string, folder: string) {
    this.#options = options;
    this.#url = url;
    this.#folder = folder;
    this.#client = createClient({ baseUrl: url });
  }

  async run(): Promise<KillWorkerReport> {
    const { seed, kills, workers = 2, actors = 24 } = this.#options;
    const random = new Random(seed);
    const living = await Promise.all(Array.from({ length: workers }, () => this.#startWorker()));
    const client = this.#client;
    const load = new Load({ client, ledger: this.#ledger, random: random.fork(1), actors });
    try {
      await this.#killRepeatedly(living, random.fork(2));
      for (const unfinished of await load.drain(drainMs)) {
        this.#violate("everything ends once the kills are over", `"${unfinished}" is under way`);
      }
      this.#violations.push(...(await waitForAll(client, drainMs)));
      return await this.#check(kills);
    } finally {
      load.giveUp();
    }
  }

  /** Ends what is left. */
  async discard(): Promise<void> {
    await Promise.all(this.#started.map((worker) => worker.kill()));
    this.#client.close();
  }

  async #startWorker(): Promise<WorkerProcess> {
    const path = join(this.#folder, `worker-${this.#started.length}`);
    const worker = new WorkerProcess(this.#url, path);
    this.#started.push(worker);
    await worker.connected;
    return worker;
  }

  async #killRepeatedly(living: WorkerProcess[], random: Random): Promise<void> {
    for (let kill = 1; kill <= this.#options.kills; kill += 1) {
      const index = random.integer(0, living.length - 1);
      const victim = living[index];
      if (victim === undefined) throw new Error("there is no worker");
      await sleep(random.integer(0, 200));
      await Promise.race([victim.nextBegin(), sleep(patienceMs)]);
      await sleep(random.integer(0, 5));
      await victim.kill();
      living[index] = await this.#startWorker();
      if (kill % progressKills === 0) {
        const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(0);
        const line = `${seconds.padStart(5)} s  ${kill} kills, ${this.#ledger.ends.length} ends`;
        this.#options.onProgress?.(line);
      }
    }
  }

  async #check(kills: number): Promise<KillWorkerReport> {
    const entries = this.#ledger.entries();
    const { ends, wrongAnswers, calls } = this.#ledger;
    const found = await observe(this.#client, entries.keys());
    const runs: FoundRuns = readRuns(this.#started);
    const known = { entries, ends, wrongAnswers, hasRun: runs.has };
    this.#violations.push(...check(known, found), ...runs.violations);
    this.#violations.push(...(await checkReplays(workflows, found)));
    if (calls.broken > 0) this.#violate("no call breaks while the server lives", `${calls.broken}`);
    const instances = [...found.instances.values()];
    return {
      seed: this.#options.seed,
      violations: this.#violations,
      kills,
      interrupted: runs.interrupted,
      instances: instances.length,
      historyEvents: instances.reduce((sum, { historyLength }) => sum + historyLength, 0),
      activities: runs.counts,
      seconds: (performance.now() - this.#startedAt) / 1000,
    };
  }

  #violate(rule: string, found: string): void {
    this.#violations.push({ rule, found });
  }
}
