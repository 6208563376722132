// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient, createWorker, isPawlError, type Worker } from "@pawl/client";
import type { Engine } from "@pawl/engine";
import type { Violation } from "../../check/violation.ts";
import { ActivityLog } from "../../load/activity-log.ts";
import type { Random } from "../../random.ts";
import type { Note } from "./facts.ts";
import { chain, createActivities, type FlowInput, flows, numberOf, pair, tally } from "./flows.ts";

const silent = { info() {}, warn() {}, error() {} };

/** A worker in this process, and what it has run. */
export interface Connected {
  readonly worker: Worker;
  readonly running: Promise<void>;
  readonly runs: ActivityLog;
}

/** Connects a worker for all workflows of the disk tests. */
export function connectWorker(engine: Engine): Connected {
  const runs = new ActivityLog();
  const activities = createActivities(runs);
  const worker = createWorker({ engine, workflows: flows, activities, logger: silent });
  return { worker, running: worker.run(), runs };
}

/** No activity runs twice while its worker is connected. */
export function checkRuns({ repeated }: ActivityLog): Violation[] {
  const rule = "no activity runs twice while its worker is connected";
  return repeated.map((found) => ({ rule, found }));
}

/** How much is asked, and of what size. */
export interface WorkloadOptions {
  readonly random: Random;
  /** Callers side by side. */
  readonly actors: number;
  /** Bytes that an input or event has at most. */
  readonly padBytes: number;
  /** Told of everything that is asked and acknowledged, at that moment. */
  readonly note: (note: Note) => void;
  /** Sets the ids of this workload apart from those of others on the same folder. @default "" */
  readonly name?: string;
}

/** Before the next call after one that was lost. */
const lostPauseMs = 5;

/** The store failed under a call: nobody knows whether it took effect. */
class CallLost extends Error {}

/** Callers of one engine that start, raise, wait, terminate and purge, and note each step. */
export class Workload {
  readonly #options: WorkloadOptions;
  readonly #client: Client;
  #count = 0;

  constructor(engine: Engine, options: WorkloadOptions) {
    this.#options = options;
    this.#client = createClient({ engine });
  }

  /** Instances that were begun. */
  get count(): number {
    return this.#count;
  }

  /** Goes on until it is enough; every actor ends what it has begun first. */
  async run(isEnough: () => boolean): Promise<void> {
    const { actors, random } = this.#options;
    await Promise.all(
      Array.from({ length: actors }, async (_, actor) => {
        const own = random.fork(actor + 1);
        while (!isEnough()) await this.#runOne(own);
      }),
    );
  }

  async #runOne(random: Random): Promise<void> {
    const kinds = [this.#runTally, this.#runTally, this.#runToEnd, this.#runToEnd, this.#runShort];
    const kind = kinds[random.integer(0, kinds.length - 1)] ?? this.#runToEnd;
    try {
      await kind.call(this, random);
    } catch (error) {
      if (!(error instanceof CallLost)) throw error;
      await sleep(lostPauseMs);
    }
  }

  /** Raises items; ends it, or leaves it waiting. */
  async #runTally(random: Random): Promise<void> {
    const id = await this.#start(tally.name, random);
    const items = random.integer(1, 6);
    for (let n = 1; n <= items; n += 1) await this.#raise(id, n, random);
    if (random.chance(0.3)) return;
    // The end mark is no item: whether it arrived shows in the output only.
    await this.#call(() => this.#client.raiseEvent(id, "item", { n: 0, pad: "" }));
    await this.#waitForEnd(id);
    if (random.chance(0.3)) await this.#command("purge", id, () => this.#client.purge(id));
  }

  async #runToEnd(random: Random): Promise<void> {
    const id = await this.#start(random.chance(0.6) ? chain.name : pair.name, random);
    // Some are left alone in the middle of their work.
    if (random.chance(0.2)) return;
    await this.#waitForEnd(id);
    if (random.chance(0.3)) await this.#command("purge", id, () => this.#client.purge(id));
  }

  async #runShort(random: Random): Promise<void> {
    const id = await this.#start(tally.name, random);
    await this.#raise(id, 1, random);
    await this.#command("terminate", id, () => this.#client.terminate(id));
  }

  async #start(workflow: string, random: Random): Promise<string> {
    this.#count += 1;
    const id = `${workflow}-${this.#options.name ?? ""}${this.#count}`;
    const input: FlowInput = { value: numberOf(id), pad: this.#pad(random) };
    const options = { instanceId: id, enforceUniqueInstanceId: true };
    await this.#command("start", id, () => this.#client.start(workflow, input, options));
    return id;
  }

  async #raise(id: string, n: number, random: Random): Promise<void> {
    this.#options.note({ what: "asked", verb: "raise", id, n });
    const pad = this.#pad(random);
    await this.#call(() => this.#client.raiseEvent(id, "item", { n, pad }));
    this.#options.note({ what: "acknowledged", verb: "raise", id, n });
  }

  async #waitForEnd(id: string): Promise<void> {
    const { status, output } = await this.#call(() => this.#client.waitForCompletion(id));
    if (status !== "completed") throw new Error(`${id} is ${status}`);
    this.#options.note({ what: "ended", id, output: JSON.stringify(output) });
  }

  async #command(
    verb: "start" | "terminate" | "purge",
    id: string,
    call: () => Promise<unknown>,
  ): Promise<void> {
    this.#options.note({ what: "asked", verb, id });
    await this.#call(call);
    this.#options.note({ what: "acknowledged", verb, id });
  }

  async #call<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (isPawlError(error) && error.code === "STORE_UNAVAILABLE") throw new CallLost();
      throw error;
    }
  }

  #pad(random: Random): string {
    const { padBytes } = this.#options;
    // Mostly small, some large; letters, so that they do not compress to nothing.
    const length = random.chance(0.2) ? random.integer(0, padBytes) : random.integer(0, 100);
    let pad = "";
    while (pad.length < length) pad += random.next().toString(36).slice(2);
    return pad.slice(0, length);
  }
}
