// SPDX-License-Identifier: Apache-2.0

import type { WorkItem } from "@pawl/engine";
import type { Random } from "../random.ts";
import { activityNames, workflowNames } from "./workflow/names.ts";
import type { SpecialStep } from "./workflow/random-program.ts";

/** What a worker's code has and lacks. */
export interface WorkerCode {
  readonly workflows: ReadonlySet<string>;
  readonly activities: ReadonlySet<string>;
  /**
   * How the server learns of it: the worker announces its names, or refuses what it does not have, or
   * does that for activities alone and answers a turn that it does not have by nothing.
   */
  readonly tells: "announces" | "refuses" | "silent";
  /** It lacks the patches, and the versions, that newer code has. */
  readonly isOld: boolean;
  /** Bytes of a turn that it can take; absent: any. */
  readonly turnBytes?: number;
  /** It may stay away for so long when it, or the server, comes again. @default it connects at once */
  readonly awayMs?: number;
}

/** True when the work's name is registered with a worker. */
export function has({ workflows, activities }: WorkerCode, item: WorkItem): boolean {
  return item.kind === "turn" ? workflows.has(item.workflow) : activities.has(item.name);
}

/** A worker that has everything, and lets the server find out. */
export const wholeCode: WorkerCode = {
  workflows: new Set(workflowNames),
  activities: new Set(activityNames),
  tells: "refuses",
  isOld: false,
};

/** What is registered for the work, and under which name. */
export function nameOf(item: WorkItem): string {
  return item.kind === "turn" ? `workflow ${item.workflow}` : `activity ${item.name}`;
}

/**
 * The code of the workers of a run. The first one has all of it: whatever it does not have, nobody has.
 * In some runs it says so, and the others lack some of it; in some the others do not take large turns.
 */
export function fleetOf(random: Random): WorkerCode[] {
  const { kind } = random.pick([
    { weight: 0.4, kind: "mixed" },
    { weight: 0.15, kind: "narrow" },
    { weight: 0.45, kind: "alike" },
  ] as const);
  const some = <T>(least: number, make: () => T): T[] =>
    Array.from({ length: random.integer(least, 2) }, make);
  switch (kind) {
    case "mixed":
      return [{ ...wholeCode, tells: "announces" }, ...some(1, () => partOf(random))];
    case "narrow": {
      const narrow = () => ({ ...wholeCode, turnBytes: random.integer(300, 1500) });
      return [{ ...wholeCode, awayMs: random.integer(500, 6000) }, ...some(1, narrow)];
    }
    default:
      return [wholeCode, ...some(0, () => wholeCode)];
  }
}

/** Steps for which it matters what such workers have. */
export function stepsFor(fleet: readonly WorkerCode[]): SpecialStep[] {
  if (fleet.every(({ workflows }) => workflows === wholeCode.workflows)) return [];
  // What nobody has is refused by those who announce nothing; else it would wait for ever.
  const isRefused = fleet.some(({ tells }) => tells !== "announces");
  return isRefused ? ["ghost", "patch", "version"] : ["patch", "version"];
}

function partOf(random: Random): WorkerCode {
  const some = (names: readonly string[]): ReadonlySet<string> =>
    new Set(names.filter(() => random.chance(0.6)));
  const { tells } = random.pick([
    { weight: 1, tells: "announces" },
    { weight: 2, tells: "refuses" },
    { weight: 1, tells: "silent" },
  ] as const);
  const isOld = random.chance(0.5);
  return { workflows: some(workflowNames), activities: some(activityNames), tells, isOld };
}
