// SPDX-License-Identifier: Apache-2.0

import { type TaskName, taskKey } from "../load/activity-log.ts";
import type { RunLine } from "../process/run-line.ts";
import type { Violation } from "./violation.ts";

/** A worker that ran activities, and was perhaps killed. */
export interface Runner {
  /** Instant in milliseconds; infinite when it was not killed. */
  readonly killedAt: number;
  runLines(): readonly RunLine[];
}

/** What workers have run. */
export interface FoundRuns {
  readonly violations: readonly Violation[];
  /** Runs that a kill cut off. */
  readonly interrupted: number;
  readonly counts: { readonly runs: number; readonly tasks: number };
  readonly has: (task: TaskName) => boolean;
}

/** Reads what workers have run; a task is run again only when its worker was killed. */
export function readRuns(runners: readonly Runner[]): FoundRuns {
  const runs = new Map<string, { readonly at: number; readonly killedAt: number }[]>();
  let began = 0;
  let interrupted = 0;
  for (const runner of runners) {
    const { killedAt } = runner;
    const lines = runner.runLines();
    const begins = lines.filter(({ what }) => what === "begin");
    for (const line of begins) {
      const key = taskKey(line);
      runs.set(key, [...(runs.get(key) ?? []), { at: line.at, killedAt }]);
    }
    began += begins.length;
    if (Number.isFinite(killedAt)) interrupted += 2 * begins.length - lines.length;
  }
  return {
    violations: [...runs].flatMap(([task, times]) => checkTask(task, times)),
    interrupted,
    counts: { runs: began, tasks: runs.size },
    has: (task) => runs.has(taskKey(task)),
  };
}

function checkTask(
  task: string,
  runs: readonly { readonly at: number; readonly killedAt: number }[],
): Violation[] {
  const inOrder = [...runs].sort((a, b) => a.at - b.at);
  return inOrder.slice(1).flatMap(({ at }, index) => {
    const before = inOrder[index];
    if (before === undefined || before.killedAt <= at) return [];
    const found = `task ${task} began again while its worker was alive`;
    return [{ rule: "no activity runs twice while its worker lives", found }];
  });
}
