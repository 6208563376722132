// SPDX-License-Identifier: Apache-2.0

import type { ActivityContext } from "@pawl/client";
import type { ActivityObserver } from "./definitions.ts";

/** One task: what a result is recorded for exactly once. */
export interface TaskName {
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
}

/** Which activities were run, and within which connection of the worker. */
export class ActivityLog implements ActivityObserver {
  readonly #sessions = new WeakMap<AbortSignal, number>();
  readonly #runs = new Map<string, Set<number>>();
  /** Tasks that were run twice on one connection, which did not break in between. */
  readonly repeated: string[] = [];
  #sessionCount = 0;
  #runCount = 0;

  /** Notes a run. */
  begin(context: ActivityContext): void {
    // A context's signal is its connection's.
    const session = this.#sessionOf(context.signal);
    const key = taskKey(context);
    const sessions = this.#runs.get(key) ?? new Set();
    if (sessions.has(session)) this.repeated.push(key);
    this.#runs.set(key, sessions.add(session));
    this.#runCount += 1;
  }

  /** The end of a run is of no interest here. */
  end(): void {}

  /** True when the task's activity was run at least once. */
  has(task: TaskName): boolean {
    return this.#runs.has(taskKey(task));
  }

  /** Runs in all, and tasks that were run. */
  counts(): { readonly runs: number; readonly tasks: number } {
    return { runs: this.#runCount, tasks: this.#runs.size };
  }

  #sessionOf(signal: AbortSignal): number {
    const known = this.#sessions.get(signal);
    if (known !== undefined) return known;
    this.#sessionCount += 1;
    this.#sessions.set(signal, this.#sessionCount);
    return this.#sessionCount;
  }
}

/** A task as a key. */
export function taskKey({ instanceId, executionId, taskId }: TaskName): string {
  return `${instanceId} ${executionId} ${taskId}`;
}
