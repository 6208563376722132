// SPDX-License-Identifier: Apache-2.0

import { Engine } from "../src/engine.js";
import { type EngineOptions, type Logger, resolveOptions } from "../src/options.js";
import { openMemoryStore } from "../src/store/memory-store.js";
import { FaultStore } from "../src/testing/fault-store.js";
import { ManualClock } from "./manual-clock.js";
import { type Script, ScriptedWorker } from "./scripted-worker.js";

/** A log line, as it was written. */
export interface LogLine {
  readonly level: "info" | "warn" | "error";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** An engine over a store that can fail, on time that stands still. */
export class EngineUnderTest {
  readonly engine: Engine;
  readonly faults: FaultStore;
  readonly clock: ManualClock;
  readonly log: LogLine[];

  private constructor(engine: Engine, faults: FaultStore, clock: ManualClock, log: LogLine[]) {
    this.engine = engine;
    this.faults = faults;
    this.clock = clock;
    this.log = log;
  }

  /** Opens an engine; over `faults` when there is one already, as after a crash. */
  static async open(
    options: EngineOptions = {},
    faults?: FaultStore,
    clock = new ManualClock(),
  ): Promise<EngineUnderTest> {
    const store = faults ?? (await FaultStore.over(openMemoryStore));
    const log: LogLine[] = [];
    let ids = 0;
    const run = store.openCount();
    const createId = (): string => `id-${run}-${++ids}`;
    const logger = loggerInto(log);
    const resolved = resolveOptions({ commitWaitMs: 0, clock, createId, logger, ...options });
    const engine = new Engine(resolved, store.open);
    await engine.open();
    return new EngineUnderTest(engine, store, clock, log);
  }

  /** Connects a worker. */
  connect(script: Script): ScriptedWorker {
    return new ScriptedWorker(this.engine, script);
  }

  /** Opens a new engine over what is in the store, at the same instant; this one is left alone. */
  reopen(options: EngineOptions = {}): Promise<EngineUnderTest> {
    return EngineUnderTest.open(options, this.faults, new ManualClock(this.clock.now()));
  }

  /** Cuts the power and opens a new engine over what was on disk by then. */
  crash(options: EngineOptions = {}): Promise<EngineUnderTest> {
    this.faults.cut();
    this.faults.restore();
    this.faults.clear();
    return this.reopen(options);
  }

  /** Resolves when the engine is ready again after it was not. */
  untilReady(): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.engine.onReadyChange((ready) => {
        if (!ready) return;
        stop();
        resolve();
      });
    });
  }

  /** How many entries the store has, but for its own. */
  async left(): Promise<number> {
    const range = { gte: Uint8Array.of(0), lt: Uint8Array.of(0xff, 0xff) };
    return (await this.faults.behind.range(range)).length;
  }

  /** Ids of all instances, in order, once nothing is under way. */
  async ids(): Promise<string[]> {
    await this.engine.idle();
    return (await this.engine.list()).instances.map(({ instanceId }) => instanceId).sort();
  }

  /** Moves time on by so much, and waits for what it starts. */
  async pass(byMs: number): Promise<void> {
    this.clock.advance(byMs);
    await this.engine.idle();
  }

  /** Moves time on until nothing is due any more before `until`, and waits for what it starts. */
  async runUntil(until: number): Promise<void> {
    await this.engine.idle();
    let last: number | undefined;
    for (;;) {
      const next = await this.engine.nextTimerAt();
      if (next === undefined || next > until) break;
      if (next === last && next <= this.clock.now()) throw new Error(`a timer of ${next} stays`);
      last = next;
      this.clock.moveTo(Math.max(next, this.clock.now()));
      await this.engine.idle();
    }
    this.clock.moveTo(Math.max(until, this.clock.now()));
    await this.engine.idle();
  }
}

/** A logger that keeps its lines. */
export function loggerInto(log: LogLine[]): Logger {
  return {
    info: (facts, message) => log.push({ level: "info", facts, message }),
    warn: (facts, message) => log.push({ level: "warn", facts, message }),
    error: (facts, message) => log.push({ level: "error", facts, message }),
  };
}
