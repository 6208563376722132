// SPDX-License-Identifier: Apache-2.0

/** One task: what a result is recorded for exactly once. */
export interface TaskName {
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
}

/** Which activities were run, and within which connection of the worker. */
export class ActivityLog {
  readonly #sessions = new WeakMap<AbortSignal, number>();
  readonly #runs = new Map<string, Set<number>>();
  /** Tasks that were run twice on one connection, which did not break in between. */
  readonly repeated: string[] = [];
  #sessionCount = 0;
  #runCount = 0;

  /** Notes a run. `signal` is the one of the activity's context: one for each connection. */
  begin(task: TaskName, signal: AbortSignal): void {
    const session = this.#sessionOf(signal);
    const key = taskKey(task);
    const sessions = this.#runs.get(key) ?? new Set();
    if (sessions.has(session)) this.repeated.push(key);
    this.#runs.set(key, sessions.add(session));
    this.#runCount += 1;
  }

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
