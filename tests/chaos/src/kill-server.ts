// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { type Client, createClient } from "@pawl/client";
import { findFreePort } from "@pawl/free-port";
import { check } from "./check/check.ts";
import { type Observation, observe } from "./check/observe.ts";
import { compareObservations, findFaults, observeFolder } from "./check/reopen.ts";
import { checkReplays } from "./check/replays.ts";
import type { Violation } from "./check/violation.ts";
import { ActivityLog } from "./load/activity-log.ts";
import { workflows } from "./load/definitions.ts";
import { Ledger } from "./load/ledger.ts";
import { Load } from "./load/load.ts";
import { startSleepers } from "./load/sleepers.ts";
import { waitForAll } from "./load/wait-for-all.ts";
import { Gate, throughGate } from "./process/gate.ts";
import { createLoadWorker } from "./process/load-worker.ts";
import { ServerFailed, ServerLives } from "./process/server-lives.ts";
import { Random } from "./random.ts";

/** Kills between two lines of progress. */
const progressKills = 25;

/** What is run. */
export interface KillServerOptions {
  /** Decides what is asked and when the server is killed. */
  readonly seed: number;
  /** Kills while it serves; those while it starts come on top. */
  readonly kills: number;
  /** Scenarios side by side. @default 48 */
  readonly actors?: number;
  /** Milliseconds that most lives last at most, once the server answers. @default 400 */
  readonly lifeMs?: number;
  /** Instances that lie asleep from the beginning. @default 0 */
  readonly sleepers?: number;
  /** After the last kill, everything that was begun must be through within this. @default 90000 */
  readonly drainMs?: number;
  /** Damages the data folder after the n-th kill, to test the test. @default it is left alone */
  readonly sabotage?: (dataDir: string, n: number) => Promise<void>;
  /** Told how it goes. @default nobody */
  readonly onProgress?: (line: string) => void;
}

/** What came of a run. */
export interface KillServerReport {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly kills: { readonly whileServing: number; readonly whileStarting: number };
  /** Instances that were checked, children included, and ends that callers were told of. */
  readonly instances: number;
  readonly ends: number;
  readonly historyEvents: number;
  readonly calls: { readonly answered: number; readonly broken: number };
  readonly activities: { readonly runs: number; readonly tasks: number };
  /** Milliseconds from the start of a process to its answer. */
  readonly readyMs: readonly number[];
  readonly seconds: number;
}

/**
 * Kills a server with SIGKILL again and again under load, lets everything end, and checks that
 * nothing that was acknowledged is lost, doubled or wrong.
 */
export async function killServer(options: KillServerOptions): Promise<KillServerReport> {
  const run = new KillServerRun(options, {
    port: await findFreePort(),
    folder: await mkdtemp(join(tmpdir(), "pawl-chaos-")),
  });
  return run.run();
}

class KillServerRun {
  readonly #options: KillServerOptions;
  readonly #folder: string;
  readonly #dataDir: string;
  readonly #gate = new Gate();
  readonly #lives: ServerLives;
  readonly #client: Client;
  readonly #worker: ReturnType<typeof createLoadWorker>;
  readonly #ledger = new Ledger();
  readonly #activities = new ActivityLog();
  readonly #violations: Violation[] = [];
  readonly #startedAt = performance.now();
  #observation: Observation | undefined;

  constructor(options: KillServerOptions, { port, folder }: { port: number; folder: string }) {
    this.#options = options;
    this.#folder = folder;
    this.#dataDir = join(folder, "data");
    this.#lives = new ServerLives(
      { port, dataDir: this.#dataDir },
      this.#gate,
      options.lifeMs ?? 400,
    );
    const baseUrl = `http://127.0.0.1:${port}`;
    const calls = createConnectTransport({ baseUrl, httpVersion: "2", useBinaryFormat: true });
    const stream = createGrpcTransport({ baseUrl });
    this.#client = createClient({ transport: throughGate(this.#gate, calls) });
    this.#worker = createLoadWorker(throughGate(this.#gate, stream), this.#activities);
  }

  async run(): Promise<KillServerReport> {
    const { actors = 48, sleepers = 0, seed } = this.#options;
    const random = new Random(seed);
    const working = this.#worker.run();
    let load: Load | undefined;
    try {
      if (sleepers > 0) await this.#putToSleep(sleepers);
      load = new Load({
        client: this.#client,
        ledger: this.#ledger,
        random: random.fork(1),
        actors,
      });
      await this.#killRepeatedly(random.fork(2));
      await this.#drain(load);
      await this.#checkServer();
      await this.#stopAndReopen(working);
    } catch (error) {
      if (!(error instanceof ServerFailed)) throw error;
      this.#violate("the server lives until it is killed", error.message);
    } finally {
      load?.giveUp();
      // Opened, so that who waits for a server hears that there is none.
      this.#gate.open();
      await this.#worker.stop();
      await this.#lives.discard();
      await this.#clear();
    }
    return this.#report();
  }

  async #putToSleep(count: number): Promise<void> {
    await this.#lives.start();
    await startSleepers(this.#client, count);
    this.#say(`${count} instances are asleep`);
  }

  async #killRepeatedly(random: Random): Promise<void> {
    const { kills } = this.#options;
    for (let killed = 0; killed < kills; ) {
      const hasServed = await this.#lives.liveAndDie(random, () => this.#ledger.nextAnswer());
      if (!hasServed) continue;
      killed += 1;
      await this.#options.sabotage?.(this.#dataDir, killed);
      if (killed % progressKills === 0) this.#say(`${killed} kills, ${this.#countsLine()}`);
    }
  }

  async #drain(load: Load): Promise<void> {
    const { drainMs = 90_000 } = this.#options;
    await this.#lives.start();
    for (const unfinished of await load.drain(drainMs)) {
      const instance = await this.#client.get(unfinished).catch(() => undefined);
      const found = `"${unfinished}" is still under way, ${instance?.status ?? "not found"}`;
      this.#violate("everything ends once the kills are over", found);
    }
    this.#violations.push(...(await waitForAll(this.#client, drainMs)));
    this.#say(`drained, ${this.#countsLine()}`);
  }

  async #checkServer(): Promise<void> {
    const { entries, ends, wrongAnswers } = { ...this.#ledger, entries: this.#ledger.entries() };
    const found = await observe(this.#client, entries.keys());
    this.#observation = found;
    const hasRun = this.#activities.has.bind(this.#activities);
    this.#violations.push(...check({ entries, ends, wrongAnswers, hasRun }, found));
    this.#violations.push(...(await checkReplays(workflows, found)));
    for (const task of this.#activities.repeated) {
      this.#violate("no activity runs twice while its worker is connected", task);
    }
    for (const complaint of this.#lives.report().complaints) {
      this.#violate("the server has nothing to complain of", complaint);
    }
  }

  async #stopAndReopen(working: Promise<void>): Promise<void> {
    // A worker that leaves first lets the server end at once.
    await this.#worker.stop();
    await working;
    const { code, signal, stderr } = await this.#lives.stop();
    if (code !== 0) {
      this.#violate("SIGTERM ends with code 0", `${signal ?? `code ${code}`}: ${stderr}`);
    }
    if (this.#observation === undefined) return;
    for (const { instanceId, reason } of await findFaults(this.#dataDir)) {
      this.#violations.push({
        rule: "a stopped server's folder is sound",
        instanceId,
        found: reason,
      });
    }
    const reopened = await observeFolder(this.#dataDir, this.#observation.instances.keys());
    this.#violations.push(...compareObservations(this.#observation, reopened));
    this.#say("reopened by the engine and read again");
  }

  /** Deletes the data folder, unless there is something to be learnt from it. */
  async #clear(): Promise<void> {
    if (this.#violations.length === 0 || this.#options.sabotage !== undefined) {
      await rm(this.#folder, { recursive: true });
    } else {
      this.#say(`the data folder was kept: ${this.#folder}`);
    }
  }

  #violate(rule: string, found: string): void {
    this.#violations.push({ rule, found });
  }

  #say(line: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(0);
    this.#options.onProgress?.(`${seconds.padStart(5)} s  ${line}`);
  }

  #countsLine(): string {
    const { answered, broken } = this.#ledger.calls;
    const { runs, tasks } = this.#activities.counts();
    const ends = this.#ledger.ends.length;
    return `${ends} ends, ${answered} calls answered, ${broken} broken, ${runs} runs of ${tasks} tasks`;
  }

  #report(): KillServerReport {
    const { killsWhileServing, killsWhileStarting, readyMs } = this.#lives.report();
    const instances = [...(this.#observation?.instances.values() ?? [])];
    return {
      seed: this.#options.seed,
      violations: this.#violations,
      kills: { whileServing: killsWhileServing, whileStarting: killsWhileStarting },
      instances: instances.length,
      ends: this.#ledger.ends.length,
      historyEvents: instances.reduce((sum, { historyLength }) => sum + historyLength, 0),
      calls: this.#ledger.calls,
      activities: this.#activities.counts(),
      readyMs,
      seconds: (performance.now() - this.#startedAt) / 1000,
    };
  }
}
