// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { limits } from "@pawl/protocol";
import type { TracingOptions } from "./port/tracing.js";
import { type Clock, systemClock } from "./runtime/clock.js";
import type { BatchPace } from "./runtime/commit/pace.js";
import type { ScrubRate } from "./store/level/scrub.js";
import type { OnDamage } from "./store/sound-files.js";

/** Takes the engine's few log lines. Never gets payloads. */
export interface Logger {
  info(facts: Readonly<Record<string, unknown>>, message: string): void;
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/**
 * Work that may be with workers at once, over all workers; the rest waits in its turn. 0, or absent:
 * no limit.
 */
export interface ConcurrencyLimits {
  /** Turns of workflows. */
  readonly turns?: number;
  /** Activities. */
  readonly activities?: number;
  /** Turns of one workflow, by its name. */
  readonly turnsOf?: Readonly<Record<string, number>>;
  /** Activities of one name. */
  readonly activitiesOf?: Readonly<Record<string, number>>;
}

/** What the history of one execution may have; a turn that does not end it adds no more. */
export interface HistoryLimit {
  /** @default 1,000,000 */
  readonly events?: number;
  /** @default 268,435,456 (256 MiB) */
  readonly bytes?: number;
}

/** Milliseconds for which what has ended is kept. Absent: for ever. 0: no longer than needed. */
export interface RetentionPolicy {
  readonly completedMs?: number;
  readonly failedMs?: number;
  readonly terminatedMs?: number;
  /** For statuses that are not named. */
  readonly anyMs?: number;
}

/** How long ended instances are kept, for all workflows and for some by name. */
export interface RetentionOptions extends RetentionPolicy {
  /** What these say goes before what all have. */
  readonly byWorkflow?: Readonly<Record<string, RetentionPolicy>>;
}

/** How to open an engine. */
export interface EngineOptions {
  /** "level": on disk in `dataDir`. "memory": nothing is kept. @default "level" */
  readonly store?: "level" | "memory";
  /** The data folder; made if it does not exist. Required for "level". */
  readonly dataDir?: string;
  /**
   * What is done with a data folder of which tables are damaged and all else can be read.
   * "salvage": what can be read is copied into a new database and served, instances that may lack
   * something are parked, and the damaged database lies aside in the folder. "refuse": it is not opened.
   * Damage of any other kind is always refused, and tables of which too much is gone. @default "salvage"
   */
  readonly onDamage?: OnDamage;
  /**
   * How the tables of an open data folder are read in the background, again and again, to find what the disk
   * has changed. Damage is logged; with `onDamage` "salvage" the folder is then opened again, and salvaged.
   * @default 4 MiB a second, for the first time after a minute, again a day after the end
   */
  readonly scrub?: Partial<ScrubRate>;
  /** Source of time. @default the machine's clock */
  readonly clock?: Clock;
  /** Makes ids and tokens. @default random UUIDs */
  readonly createId?: () => string;
  /** Where log lines go. @default nowhere */
  readonly logger?: Logger;
  /** Name of the application, which histories that are handed on have with them. @default "pawl" */
  readonly appId?: string;
  /**
   * Bytes of an input, and of an event's payload, that callers may give. What is over the default runs only
   * with workers that take so much; to others its instance is stalled. @default 3,670,016 (3.5 MiB)
   */
  readonly inputBytes?: number;
  /** Turns and activities that may wait for a worker, before callers get RESOURCE_EXHAUSTED. @default 1000000 */
  readonly queueLimit?: number;
  /** Work that may be with workers at once. @default no limits */
  readonly concurrency?: ConcurrencyLimits;
  /**
   * Keep an ended execution when its id is used again: it stays readable under its execution id until
   * retention or a purge of the instance. @default true
   */
  readonly keepExecutions?: boolean;
  /** What the history of an instance may have. @default 1,000,000 events and 256 MiB */
  readonly historyLimit?: HistoryLimit;
  /** How long ended instances are kept. @default for ever */
  readonly retention?: RetentionOptions;
  /** Where spans go, and of which traces; see docs/operate.md. @default there are none */
  readonly tracing?: TracingOptions;
  /** Bytes of history kept in memory for instances at work. @default 67108864 */
  readonly historyCacheBytes?: number;
  /** Instances that have not ended and have nothing to do, kept in memory all the same. @default 2000 */
  readonly idleInstances?: number;
  /**
   * Milliseconds that the commit of an event waits for the turn that it triggers, so that both are
   * one write. 0: never. @default 2
   */
  readonly commitWaitMs?: number;
  /**
   * Milliseconds that work which all connected workers refuse, since it is not registered with them,
   * waits for the return of a worker that had its name; after a start with instances that have not
   * ended, of any worker. 0: such work fails at once. @default 60000
   */
  readonly workerReturnMs?: number;
}

/** What may change while an engine is open. What is absent gets its default. */
export type EngineSettings = Pick<
  EngineOptions,
  "concurrency" | "keepExecutions" | "retention" | "historyLimit" | "workerReturnMs"
>;

/** All options, each with a value. */
export type ResolvedOptions = Required<Omit<EngineOptions, "dataDir" | "tracing">> & {
  readonly dataDir: string;
  readonly tracing: TracingOptions | undefined;
  /** How large the batches of commits are. Set by tests only. @default measured */
  readonly pace?: BatchPace;
};

const silent: Logger = { info() {}, warn() {}, error() {} };

/** The defaults. */
export const defaults = Object.freeze({
  store: "level",
  dataDir: "",
  onDamage: "salvage",
  scrub: Object.freeze({
    bytesPerSecond: 4 * 1024 * 1024,
    firstAfterMs: 60_000,
    againAfterMs: 86_400_000,
  }),
  clock: systemClock,
  createId: () => randomUUID(),
  logger: silent,
  appId: "pawl",
  inputBytes: limits.payloadBytes,
  queueLimit: 1_000_000,
  concurrency: {},
  keepExecutions: true,
  retention: {},
  historyLimit: {},
  tracing: undefined,
  historyCacheBytes: 64 * 1024 * 1024,
  idleInstances: 2000,
  commitWaitMs: 2,
  workerReturnMs: 60_000,
}) satisfies ResolvedOptions;

/** Other settings in place of those that were. */
export function withSettings(options: ResolvedOptions, settings: EngineSettings): ResolvedOptions {
  const {
    concurrency = defaults.concurrency,
    keepExecutions = defaults.keepExecutions,
    retention = defaults.retention,
    historyLimit = defaults.historyLimit,
    workerReturnMs = defaults.workerReturnMs,
  } = settings;
  return { ...options, concurrency, keepExecutions, retention, historyLimit, workerReturnMs };
}

/** Fills in the defaults. */
export function resolveOptions(options: EngineOptions): ResolvedOptions {
  return { ...defaults, ...options, tracing: options.tracing };
}
