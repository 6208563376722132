// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent } from "@pawl/protocol";

/**
 * Which patches one execution runs with. A patch that the code comes to in new work is taken, and
 * history says so from then on; one that it comes to where history has been without it is not, and
 * stays so (engine semantics 10.2).
 */
export class Patches {
  /** Most executions have none: what is made for each counts when a worker holds thousands. */
  #recorded: Set<string> | undefined;
  #decisions: Map<string, boolean> | undefined;
  #taken: readonly string[] | undefined;

  /** Learns what history says, all of it before the code runs: events may be held back meanwhile. */
  learn(past: readonly HistoryEvent[]): void {
    for (const { eventType } of past) {
      if (eventType.case !== "workflowStarted") continue;
      for (const patch of eventType.value.version?.patches ?? []) {
        this.#recorded ??= new Set();
        this.#recorded.add(patch);
      }
    }
  }

  /** True when the execution runs with the patch; the same each time. */
  decide(patch: string, isReplaying: boolean): boolean {
    this.#decisions ??= new Map();
    const decided = this.#decisions.get(patch);
    if (decided !== undefined) return decided;
    const isTaken = this.#recorded?.has(patch) === true || !isReplaying;
    this.#decisions.set(patch, isTaken);
    if (isTaken) this.#taken = [...(this.#taken ?? []), patch];
    return isTaken;
  }

  /** The patches that the code has taken, in order; absent: none. */
  get taken(): readonly string[] | undefined {
    return this.#taken;
  }
}
