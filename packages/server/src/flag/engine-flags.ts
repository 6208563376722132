// SPDX-License-Identifier: Apache-2.0

import type { EngineOptions, EngineSettings, RetentionPolicy } from "@pawl/engine";
import { type Command, InvalidArgumentError, Option } from "commander";
import { parseDuration } from "./duration.js";
import { parseBoolean } from "./switch.js";

/** The flags of the engine, as commander gives them. */
interface Flags {
  readonly maxTurns?: Limits;
  readonly maxActivities?: Limits;
  readonly retention?: NonNullable<EngineOptions["retention"]>;
  readonly keepExecutions?: boolean;
  readonly workerReturn?: number;
}

/** A limit for all names together, and limits by name. */
export interface Limits {
  readonly all?: number;
  readonly byName: Readonly<Record<string, number>>;
}

/** Adds the engine's flags to a command. Each is also an environment variable; the flag wins. */
export function addEngineFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--max-turns <limits>",
        'turns of workflows that may be with workers at once: "100,order=5" is 100 in all, 5 of "order"',
      )
        .env("PAWL_MAX_TURNS")
        .argParser(parseLimits),
    )
    .addOption(
      new Option("--max-activities <limits>", "activities that may be with workers at once")
        .env("PAWL_MAX_ACTIVITIES")
        .argParser(parseLimits),
    )
    .addOption(
      new Option(
        "--retention <times>",
        'how long ended instances are kept: "completed=7d,failed=30d,any=90d,order/completed=1h"',
      )
        .env("PAWL_RETENTION")
        .argParser(parseRetention),
    )
    .addOption(
      new Option(
        "--keep-executions <boolean>",
        "keep an ended execution when its id is used again; default: true",
      )
        .env("PAWL_KEEP_EXECUTIONS")
        .argParser(parseBoolean),
    )
    .addOption(
      new Option(
        "--worker-return <time>",
        "how long work that only a worker had that has just gone waits for it; default: 1m",
      )
        .env("PAWL_WORKER_RETURN")
        .argParser(parseLength),
    );
}

/** Reads the engine's flags of a command that was parsed; `undefined` when there are none. */
export function parseEngineFlags(command: Command): EngineSettings | undefined {
  const { maxTurns, maxActivities, retention, keepExecutions, workerReturn } =
    command.opts<Flags>();
  const settings = {
    ...(maxTurns === undefined && maxActivities === undefined
      ? {}
      : { concurrency: concurrencyOf(maxTurns, maxActivities) }),
    ...(retention === undefined ? {} : { retention }),
    ...(keepExecutions === undefined ? {} : { keepExecutions }),
    ...(workerReturn === undefined ? {} : { workerReturnMs: workerReturn }),
  };
  return Object.keys(settings).length === 0 ? undefined : settings;
}

/** Limits on work at once, of what was said of turns and of activities. */
export function concurrencyOf(
  turns: Limits | undefined,
  activities: Limits | undefined,
): NonNullable<EngineOptions["concurrency"]> {
  return {
    ...(turns?.all === undefined ? {} : { turns: turns.all }),
    ...(activities?.all === undefined ? {} : { activities: activities.all }),
    turnsOf: turns?.byName ?? {},
    activitiesOf: activities?.byName ?? {},
  };
}

/**
 * Reads limits: "100,order=5" is 100 in all, 5 of "order".
 * @throws InvalidArgumentError
 */
export function parseLimits(text: string): Limits {
  let all: number | undefined;
  const byName: Record<string, number> = {};
  for (const part of text.split(",")) {
    const at = part.lastIndexOf("=");
    const digits = part.slice(at + 1).trim();
    const limit = Number(digits);
    const name = part.slice(0, Math.max(at, 0)).trim();
    if (!/^\d+$/.test(digits) || !Number.isSafeInteger(limit) || (at >= 0 && name === "")) {
      throw new InvalidArgumentError(`"${part}" is not a number, or a name with one: order=5.`);
    }
    if (at < 0) all = limit;
    else byName[name] = limit;
  }
  return all === undefined ? { byName } : { all, byName };
}

const statusKeys: Readonly<Record<string, keyof RetentionPolicy>> = {
  completed: "completedMs",
  failed: "failedMs",
  terminated: "terminatedMs",
  any: "anyMs",
};

/**
 * Reads how long ended instances are kept: "completed=7d,any=90d,order/completed=1h".
 * @throws InvalidArgumentError
 */
export function parseRetention(text: string): NonNullable<EngineOptions["retention"]> {
  const all: Record<string, number> = {};
  const byWorkflow: Record<string, Record<string, number>> = {};
  for (const part of text.split(",")) {
    const [target = "", duration = ""] = split(part, "=");
    const [workflow, status = ""] = target.includes("/") ? split(target, "/") : [undefined, target];
    const key = statusKeys[status];
    const lengthMs = parseDuration(duration);
    if (key === undefined || lengthMs === undefined || workflow === "") {
      throw new InvalidArgumentError(
        `"${part}" is not completed, failed, terminated or any with a time: completed=7d.`,
      );
    }
    if (workflow === undefined) all[key] = lengthMs;
    else byWorkflow[workflow] = { ...byWorkflow[workflow], [key]: lengthMs };
  }
  return { ...all, byWorkflow };
}

/** Both sides of the last separator. */
function split(text: string, separator: string): [string, string] {
  const at = text.lastIndexOf(separator);
  return [text.slice(0, Math.max(at, 0)).trim(), text.slice(at + 1).trim()];
}

function parseLength(text: string): number {
  const lengthMs = parseDuration(text);
  if (lengthMs !== undefined) return lengthMs;
  throw new InvalidArgumentError("It must be a length of time, such as 30s.");
}
