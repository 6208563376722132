// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import type { Instance, StartCommand } from "@pawl/protocol/port";
import type { Engine } from "../src/engine.js";
import { isEngineError } from "../src/errors.js";
import { openMemoryStore } from "../src/store/memory-store.js";
import { FaultStore } from "../src/testing/fault-store.js";
import { ManualClock } from "./manual-clock.js";
import { EngineUnderTest } from "./open-engine.js";
import type { Script, ScriptedWorker } from "./scripted-worker.js";

/**
 * A client and a worker of an engine whose store may fail under them at any call. When the power is
 * cut they go on with a new engine over what was on disk. Commands whose outcome is unknown are
 * looked up, or asked again where that does no harm.
 */
export class FaultyRun {
  readonly faults: FaultStore;
  readonly clock = new ManualClock();
  /** That the engine was ready over a store that had failed. */
  readonly lies = new Set<string>();
  readonly #script: Script;
  #under: EngineUnderTest | undefined;
  #worker: ScriptedWorker | undefined;

  private constructor(faults: FaultStore, script: Script) {
    this.faults = faults;
    this.#script = script;
  }

  static async create(script: Script): Promise<FaultyRun> {
    return new FaultyRun(await FaultStore.over(openMemoryStore), script);
  }

  /** Starts an instance; acknowledged when it returns. */
  async start(command: StartCommand & { readonly instanceId: string }): Promise<void> {
    for (;;) {
      const answer = await this.#attempt((engine) => engine.start(command));
      if (answer.isKnown) return;
      const found = await this.get(command.instanceId);
      if (found !== undefined && found.completedAt === undefined) return;
      if (found?.workflow === command.workflow) return;
    }
  }

  /** Raises an event once. False: nobody knows whether it arrived. */
  raise(instanceId: string, name: string, input: string): Promise<boolean> {
    return this.ask((engine) => engine.raiseEvent(instanceId, name, input));
  }

  /** Asks once, and never again. False: nobody knows whether it was done. */
  async ask(command: (engine: Engine) => Promise<unknown>): Promise<boolean> {
    return (await this.#attempt(command)).isKnown;
  }

  /** Does what may be done twice, until it is acknowledged. */
  async insist<T>(command: (engine: Engine) => Promise<T>): Promise<T> {
    for (;;) {
      const answer = await this.#attempt(command);
      if (answer.isKnown) return answer.value;
    }
  }

  get(instanceId: string): Promise<Instance | undefined> {
    return this.insist((engine) => engine.get(instanceId));
  }

  ended(instanceId: string): Promise<Instance> {
    return this.insist((engine) => engine.waitForCompletion(instanceId));
  }

  /** Waits until nothing is under way any more. */
  async quiet(): Promise<void> {
    await this.insist((engine) => engine.idle());
  }

  /** Tries once. Not known: the store failed meanwhile, and is open again. */
  async #attempt<T>(
    command: (engine: Engine) => Promise<T>,
  ): Promise<{ readonly isKnown: true; readonly value: T } | { readonly isKnown: false }> {
    const under = await this.#open();
    let answer: { readonly value: T } | { readonly error: unknown } | undefined;
    command(under.engine).then(
      (value) => {
        answer = { value };
      },
      (error) => {
        answer = { error };
      },
    );
    await this.#until(() => answer !== undefined);
    if (answer === undefined) return { isKnown: false };
    if ("value" in answer) return { isKnown: true, value: answer.value };
    if (!isEngineError(answer.error) || answer.error.code !== "STORE_UNAVAILABLE") {
      throw answer.error;
    }
    await this.#until(() => under.engine.isReady());
    return { isKnown: false };
  }

  /** Resolves when it is so or the power is cut. Time goes on meanwhile, slowly. */
  async #until(isSo: () => boolean): Promise<void> {
    for (let tick = 1; !isSo() && !this.faults.isCut(); tick += 1) {
      await nextTick();
      if (this.faults.hasFailed() && this.#under?.engine.isReady()) {
        this.lies.add("the engine is ready and its store has failed");
      }
      if (tick % 10 === 0) this.clock.advance(20);
      if (tick > 100_000) throw new Error("nothing happens any more");
    }
  }

  /** The engine; a new one when the power was cut. */
  async #open(): Promise<EngineUnderTest> {
    if (this.faults.isCut()) {
      this.faults.restore();
      this.#under = undefined;
    }
    while (this.#under === undefined) {
      let opened: EngineUnderTest | "failed" | undefined;
      EngineUnderTest.open({}, this.faults, this.clock).then(
        (under) => {
          opened = under;
        },
        () => {
          opened = "failed";
        },
      );
      await this.#until(() => opened !== undefined);
      if (opened === undefined) this.faults.restore();
      else if (opened !== "failed") this.#under = opened;
    }
    if (this.#worker === undefined || this.#engineOfWorker !== this.#under) {
      this.#worker = this.#under.connect(this.#script);
      this.#engineOfWorker = this.#under;
    }
    return this.#under;
  }

  #engineOfWorker: EngineUnderTest | undefined;
}

/** How an instance ended. */
export async function outputOf(run: FaultyRun, instanceId: string): Promise<unknown> {
  const { status, output } = await run.ended(instanceId);
  return [status, output];
}
