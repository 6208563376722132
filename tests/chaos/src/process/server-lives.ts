// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../random.ts";
import type { Gate } from "./gate.ts";
import { type ServerEnding, type ServerPlace, ServerProcess } from "./server-process.ts";

/** A server that does not answer after this is held to be broken. */
const readyLimitMs = 60_000;
const stopGraceMs = 20_000;
/** How long a server that answers is left without a call that it answers. */
const patienceMs = 2_000;

/** One in ten lives is this much longer. */
const longLife = 4;

/** A server ended without being killed, or did not start. */
export class ServerFailed extends Error {}

/** What a server said in all its lives. */
export interface LivesReport {
  /** Milliseconds from the start of the process to its answer, of each life that got that far. */
  readonly readyMs: readonly number[];
  readonly killsWhileServing: number;
  readonly killsWhileStarting: number;
  /** Log lines of level warn and error. */
  readonly complaints: readonly string[];
}

/** One server on one folder, killed and started again and again. */
export class ServerLives {
  readonly #place: ServerPlace;
  readonly #gate: Gate;
  readonly #lifeMs: number;
  readonly #readyMs: number[] = [];
  readonly #complaints: string[] = [];
  #killsWhileServing = 0;
  #killsWhileStarting = 0;
  #server: ServerProcess | undefined;

  /** `lifeMs`: how long most lives are at most, once the server answers. */
  constructor(place: ServerPlace, gate: Gate, lifeMs: number) {
    this.#place = place;
    this.#gate = gate;
    this.#lifeMs = lifeMs;
  }

  /**
   * Starts a life, or goes on with the present one, and kills it at a random moment: in its start,
   * soon after it, or soon after `answered`, which resolves when the server has answered a call.
   * False: it was killed in its start.
   */
  async liveAndDie(random: Random, answered: () => Promise<void>): Promise<boolean> {
    if (this.#server === undefined && random.chance(0.15)) {
      if (await this.#dieEarly(random.integer(20, 900))) return false;
    }
    await this.start();
    if (random.chance(0.6)) await this.#unlessEnded(Promise.race([answered(), sleep(patienceMs)]));
    const lifeMs = random.chance(0.1) ? longLife * this.#lifeMs : this.#lifeMs;
    await this.#unlessEnded(sleep(random.integer(1, lifeMs)));
    await this.#die();
    this.#killsWhileServing += 1;
    return true;
  }

  /** Starts a life if there is none, and opens the gate. */
  async start(): Promise<void> {
    if (this.#server === undefined) await this.#begin(new ServerProcess(this.#place));
  }

  /** Asks the server to end by itself. */
  async stop(): Promise<ServerEnding> {
    const ending = await this.#requireServer().stop(stopGraceMs);
    this.#server = undefined;
    this.#gate.close();
    this.#note(ending);
    return ending;
  }

  /** Ends what is left. */
  async discard(): Promise<void> {
    await this.#server?.kill();
    this.#server = undefined;
  }

  /** What was seen so far. */
  report(): LivesReport {
    return {
      readyMs: this.#readyMs,
      killsWhileServing: this.#killsWhileServing,
      killsWhileStarting: this.#killsWhileStarting,
      complaints: this.#complaints,
    };
  }

  async #begin(server: ServerProcess): Promise<void> {
    this.#server = server;
    const late = AbortSignal.timeout(readyLimitMs);
    const outcome = await Promise.race([
      server.ready,
      server.ended,
      new Promise<"late">((resolve) => late.addEventListener("abort", () => resolve("late"))),
    ]);
    if (outcome === "late") throw new ServerFailed(`no answer within ${readyLimitMs} ms`);
    if (typeof outcome !== "number") throw failed("did not start", outcome);
    this.#readyMs.push(outcome);
    const health = await server.health();
    if (health !== 204) this.#complaints.push(`health is ${health} of a server that is ready`);
    this.#gate.open();
  }

  /** Starts a life and kills it when it does not answer by then; false when it does. */
  async #dieEarly(momentMs: number): Promise<boolean> {
    const server = new ServerProcess(this.#place);
    this.#server = server;
    const isReady = await Promise.race([server.ready.then(() => true), sleep(momentMs)]);
    if (isReady === true) {
      await this.#begin(server);
      return false;
    }
    await this.#die();
    this.#killsWhileStarting += 1;
    return true;
  }

  async #die(): Promise<void> {
    const dying = this.#requireServer().kill();
    this.#gate.close();
    this.#note(await dying);
    this.#server = undefined;
  }

  async #unlessEnded(moment: Promise<unknown>): Promise<void> {
    const ending = await Promise.race([this.#requireServer().ended, moment.then(() => undefined)]);
    if (ending !== undefined) throw failed("ended by itself", ending);
  }

  #requireServer(): ServerProcess {
    if (this.#server === undefined) throw new Error("there is no server");
    return this.#server;
  }

  #note({ stderr }: ServerEnding): void {
    this.#complaints.push(...stderr.split("\n").filter(isComplaint));
  }
}

/** True for a line that tells of trouble; what a kill cut off in its middle tells of nothing. */
function isComplaint(line: string): boolean {
  if (line === "" || /"level":"(debug|info)"/.test(line)) return false;
  return !line.startsWith("{") || line.endsWith("}");
}

function failed(what: string, { code, signal, stderr }: ServerEnding): ServerFailed {
  return new ServerFailed(`the server ${what} (${signal ?? `code ${code}`}):\n${stderr}`);
}
