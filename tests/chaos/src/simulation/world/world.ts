// SPDX-License-Identifier: Apache-2.0

import { type Engine, isEngineError, type WorkItem } from "@pawl/engine";
import { openEngineOver, type StoredRow } from "@pawl/engine/testing";
import { Random } from "../../random.ts";
import type { WorkerCode } from "../fleet.ts";
import { HandedOn } from "../handed-on.ts";
import { isBriefId } from "../workflow/names.ts";
import { WallClock } from "./clock.ts";
import { Disk } from "./disk.ts";
import { calm, type Habits, randomHabits, withoutTokens } from "./habits.ts";
import { type Owner, Scheduler } from "./scheduler.ts";
import { changedSettings, engineSettings, randomSettings, type Settings } from "./settings.ts";
import { SimStore } from "./sim-store.ts";
import { Trace } from "./trace.ts";

/** One life of the server: a crash ends it. */
export interface Life extends Owner {
  readonly number: number;
  engine: Engine | undefined;
  /** Goes up when the engine reopens its store. */
  incarnation: number;
}

/** A worker, as others have to know of it. */
export interface WorkerPlace {
  /** True while it is connected, and the server may take it to have this. */
  mayHave(item: WorkItem): boolean;
  /** What it was given over its connection and has not answered. */
  openItems(): Iterable<WorkItem>;
  /** What its code has. */
  readonly code: WorkerCode;
  /** The step at which it connected to the server as that is now; undefined: it is not connected. */
  readonly since: number | undefined;
}

/** What came of a call: the engine's answer, its refusal, or nobody knows. */
export type Answer<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "refused"; readonly code: string }
  | { readonly kind: "unknown" };

/** A stall that is written was decided on after the batch before it by so many. */
const stallBatches = 4;

/** Codes that say that a command may have been carried out all the same. */
const openEnded: ReadonlySet<string> = new Set(["STORE_UNAVAILABLE", "SHUTTING_DOWN"]);

/**
 * A server that dies and comes again over one disk, and the wires to it. All that happens is a
 * function of the seed.
 */
export class World {
  readonly random: Random;
  readonly trace: Trace;
  readonly scheduler: Scheduler;
  readonly clock: WallClock;
  readonly disk: Disk;
  readonly habits: Habits;
  readonly violations: string[] = [];
  /** The workers that there are, connected or not. */
  readonly workers: WorkerPlace[] = [];
  /** As they are now. */
  settings: Settings;
  /** As they were before they were changed, and until when. */
  readonly #settingsBefore: { readonly settings: Settings; readonly until: number }[] = [];
  /** What is handed on, where something is. */
  readonly handedOn: HandedOn | undefined;
  /** What goes on whatever server lives. */
  readonly outside: Owner = { isAlive: true };
  readonly #lifeListeners: ((life: Life) => void)[] = [];
  readonly #deathListeners = new Set<() => void>();
  life: Life = { number: 0, isAlive: false, engine: undefined, incarnation: 0 };
  #ids = 0;
  faults = 0;
  /** Somebody has asked for a purge. */
  hasPurged = false;
  #isCalm = false;

  /** `settings` hold whatever the seed says. */
  constructor(seed: number, keepTrace: boolean, settings: Partial<Settings> = {}) {
    this.random = new Random(seed);
    this.trace = new Trace(keepTrace);
    this.scheduler = new Scheduler(this.random, this.trace);
    this.clock = new WallClock(this.scheduler);
    this.disk = new Disk(
      this.scheduler,
      (id, row) => this.#checkKept(id, row),
      (id) => this.#checkStall(id),
    );
    this.habits = randomHabits(this.random);
    this.settings = { ...randomSettings(this.random), ...settings };
    if (!this.settings.echoesTokens) withoutTokens(this.habits);
    this.handedOn = this.settings.handsOn ? new HandedOn(this) : undefined;
  }

  /** Notes that an invariant does not hold. */
  violation(rule: string, found: string): void {
    this.trace.note(`VIOLATION ${rule}: ${found}`);
    this.violations.push(`${rule}: ${found}`);
  }

  /** Counts a fault; true with this probability, as long as things go wrong at all. */
  fault(probability: number, what: string): boolean {
    if (this.#isCalm || !this.random.chance(probability)) return false;
    this.faults += 1;
    this.trace.note(`  fault: ${what}`);
    return true;
  }

  /** Other limits and times hold from now on. */
  reconfigure(): void {
    this.#settingsBefore.push({ settings: this.settings, until: this.clock.now() });
    this.settings = changedSettings(this.settings, this.random);
    this.trace.note(`  settings ${JSON.stringify(this.settings)}`);
    this.life.engine?.reconfigure(engineSettings(this.settings));
  }

  /** The settings that held at an instant or later, the present ones first; not if the clock was set back. */
  settingsSince(instant: number): Settings[] {
    const before = this.#settingsBefore.filter(({ until }) => until >= instant);
    return [this.settings, ...before.map(({ settings }) => settings)];
  }

  /** From now on nothing goes wrong any more. */
  calm(): void {
    this.#isCalm = true;
    calm(this.habits);
    // What was asked for while the clock was fast is not waited for.
    this.clock.catchUp();
  }

  /** Called with each life whose engine is open. */
  onLife(listener: (life: Life) => void): void {
    this.#lifeListeners.push(listener);
  }

  /** Starts the server, unless it runs. It tries again when the disk fails. */
  begin(): void {
    if (this.life.isAlive) return;
    const life: Life = {
      number: this.life.number + 1,
      isAlive: true,
      engine: undefined,
      incarnation: 0,
    };
    this.life = life;
    this.trace.note(`life ${life.number} begins`);
    this.#open(life);
  }

  #open(life: Life): void {
    const { scheduler, disk, habits, settings } = this;
    const onFailed = (): void => {
      if (life.engine?.isReady()) this.violation("health is true", "ready with a failed store");
    };
    const openStore = () => SimStore.open(disk, scheduler, life, habits.disk, onFailed);
    const createId = (): string => `~x${life.number}.${++this.#ids}~`;
    const say = (level: string) => (facts: Readonly<Record<string, unknown>>, message: string) =>
      this.trace.note(`  ${level}: ${message} ${JSON.stringify(facts)}`);
    const options = {
      clock: this.clock.of(life),
      createId,
      commitWaitMs: this.random.chance(0.8) ? 2 : 0,
      batchSize: this.random.chance(0.25) ? this.random.integer(1, 4) : undefined,
      historyCacheBytes: this.random.chance(0.2) ? 0 : 1 << 20,
      // Few: who has nothing to do is read again when something comes.
      idleInstances: this.random.chance(0.15) ? this.random.integer(0, 2) : 2000,
      ...engineSettings(settings),
      logger: { info: say("info"), warn: say("warn"), error: say("error") },
    };
    openEngineOver(openStore, options).then(
      (engine) => {
        if (!life.isAlive) return;
        life.engine = engine;
        if (this.settings !== settings) engine.reconfigure(engineSettings(this.settings));
        engine.onReadyChange((ready) => {
          if (!ready) life.incarnation += 1;
        });
        this.trace.note(`life ${life.number} is ready`);
        for (const listener of this.#lifeListeners) listener(life);
      },
      (error) => {
        this.trace.note(`  cannot open: ${codeOf(error)}`);
        if (life.isAlive) scheduler.after(50, life, "open again", () => this.#open(life));
      },
    );
  }

  /** The server dies on the spot: what was on its way to the disk is there or not. */
  crash(): void {
    this.faults += 1;
    this.trace.note(`life ${this.life.number} ends`);
    this.life.isAlive = false;
    this.life.engine = undefined;
    for (const listener of [...this.#deathListeners]) listener();
    this.#deathListeners.clear();
  }

  /** Resolves when the server dies that lives now. */
  deathOf(): Promise<undefined> {
    return new Promise((resolve) => {
      this.#deathListeners.add(() => resolve(undefined));
    });
  }

  /**
   * Sends a call over the wire. `onAnswer` hears what the engine answers, at the moment when it does,
   * whether or not the answer arrives.
   */
  call<T>(
    label: string,
    send: (engine: Engine) => Promise<T>,
    onAnswer: (answer: Answer<T>) => void = () => {},
  ): Promise<Answer<T>> {
    const { scheduler, habits } = this;
    if (this.fault(habits.clockJumps, "the clock is set")) this.#jump();
    return new Promise((resolve) => {
      let isOver = false;
      const end = (answer: Answer<T>): void => {
        if (isOver) return;
        isOver = true;
        this.trace.note(
          `  ${label} -> ${answer.kind} ${answer.kind === "refused" ? answer.code : ""}`,
        );
        resolve(answer);
      };
      const lose = (): void => {
        scheduler.after(this.wire(), this.outside, `${label} breaks`, () =>
          end({ kind: "unknown" }),
        );
      };
      if (this.fault(habits.callLost, `${label} does not arrive`)) return lose();
      scheduler.after(this.wire(), this.outside, label, () => {
        const { life } = this;
        const { engine } = life;
        if (engine === undefined) return lose();
        this.#deathListeners.add(lose);
        send(engine).then(
          (value) => answered({ kind: "value", value }),
          (error) => answered(this.#refusal(label, error)),
        );
        const answered = (answer: Answer<T>): void => {
          if (!life.isAlive) return;
          this.#deathListeners.delete(lose);
          this.trace.note(`  ${label}: ${answer.kind}`);
          onAnswer(answer);
          if (this.fault(habits.callLost, `the answer of ${label} is lost`)) lose();
          else
            scheduler.after(this.wire(), this.outside, `${label} is answered`, () => end(answer));
        };
      });
    });
  }

  #refusal(label: string, error: unknown): { kind: "refused"; code: string } | { kind: "unknown" } {
    const code = codeOf(error);
    if (code === undefined) {
      this.violation("every refusal has a code", `${label}: ${String(error)}`);
    } else if (code === "INSTANCE_DAMAGED" || code === "INTERNAL") {
      this.violation("nothing is damaged", `${label}: ${String(error)}`);
    }
    return code === undefined || openEnded.has(code)
      ? { kind: "unknown" }
      : { kind: "refused", code };
  }

  /** What is kept for some time after its end is deleted after that alone. */
  #checkKept(instanceId: string, { completedAt }: StoredRow): void {
    if (this.settings.briefMs === undefined || !isBriefId(instanceId) || this.clock.wentBack)
      return;
    const keptMs = Math.min(...this.settingsSince(completedAt).map(({ briefMs = 0 }) => briefMs));
    if (completedAt > 0 && completedAt + keptMs <= this.clock.now()) return;
    this.violation("what has ended is kept for its time", instanceId);
  }

  /**
   * A turn stalls when no worker takes one of its size, and not while one that takes any has been there
   * since before it was looked at: a change is written with the batch after that at the latest.
   */
  #checkStall(instanceId: string): void {
    if (this.workers.every(({ code }) => code.turnBytes === undefined)) return;
    const [before, row] = this.disk.allRows(instanceId).slice(-2);
    if (row?.status !== "stalled" || before?.eventCount === row.eventCount) return;
    // A turn before it may have been written with it.
    const isAlone =
      before?.executionId === row.executionId && before.eventCount + 1 === row.eventCount;
    if (isAlone && before.customStatus !== row.customStatus) {
      this.violation("a turn that stalls changes no custom status", instanceId);
    }
    const then = this.disk.stepOf(stallBatches);
    const isTaken = ({ code, since }: WorkerPlace): boolean =>
      code.turnBytes === undefined && since !== undefined && since < then;
    if (!this.workers.some(isTaken)) return;
    this.violation("what stalls is too large for every worker", instanceId);
  }

  /** How long a message is on its way. */
  wire(): number {
    return this.random.next() * this.habits.latencyMs;
  }

  #jump(): void {
    const length = 10 ** this.random.integer(2, 8) * (this.random.chance(0.5) ? 1 : -1);
    this.clock.jump(length);
    this.trace.note(`  the clock jumps by ${length} ms`);
  }
}

function codeOf(error: unknown): string | undefined {
  return isEngineError(error) ? error.code : undefined;
}
