// SPDX-License-Identifier: Apache-2.0

import type { Client } from "@pawl/client";
import type { Random } from "../random.ts";
import { Caller, ScenarioEnded } from "./caller.ts";
import type { Ledger } from "./ledger.ts";
import { type Scenario, scenarios } from "./scenario.ts";

/** How the load is made. */
export interface LoadOptions {
  readonly client: Client;
  readonly ledger: Ledger;
  readonly random: Random;
  /** Scenarios that run side by side. */
  readonly actors: number;
}

/** Actors that each run one scenario after the other. */
export class Load {
  readonly #options: LoadOptions;
  readonly #givingUp = new AbortController();
  /** What each actor is at. */
  readonly #current = new Map<number, string>();
  readonly #running: Promise<void>[];
  readonly #failures: unknown[] = [];
  #isStopping = false;

  /** Starts the load. */
  constructor(options: LoadOptions) {
    this.#options = options;
    this.#running = Array.from({ length: options.actors }, (_, actor) => this.#act(actor));
  }

  /** Begins no new scenario; resolves when those that were begun are through, or with their names. */
  async drain(timeoutMs: number): Promise<readonly string[]> {
    this.#isStopping = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([Promise.all(this.#running), late]);
    clearTimeout(timer);
    const [failure] = this.#failures;
    if (failure !== undefined) throw failure;
    return [...this.#current.values()];
  }

  /** Ends what is still running. */
  giveUp(): void {
    this.#isStopping = true;
    this.#givingUp.abort();
  }

  async #act(actor: number): Promise<void> {
    const { client, ledger, random } = this.#options;
    const caller = new Caller(client, ledger, this.#givingUp.signal);
    const own = random.fork(actor);
    for (let round = 0; !this.#isStopping; round += 1) {
      const scenario: Scenario = own.pick(scenarios);
      const instanceId = `${scenario.name.replaceAll(" ", "-")}-${actor}-${round}`;
      this.#current.set(actor, instanceId);
      try {
        await scenario.run({ caller, random: own.fork(round), instanceId });
      } catch (error) {
        if (!(error instanceof ScenarioEnded)) this.#failures.push(error);
        if (this.#givingUp.signal.aborted) return;
      }
      this.#current.delete(actor);
    }
  }
}
