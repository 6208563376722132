// SPDX-License-Identifier: Apache-2.0

import type { ActivityCompletion, TurnCompletion, WorkItem } from "@pawl/engine";

/** Remembers which work items a caller's worker was given. */
export class HandedItems {
  readonly #sessions = new Map<string, Set<Set<string>>>();

  /** A worker of a caller has connected. */
  open(caller: string): { add(item: WorkItem): void; close(): void } {
    const items = new Set<string>();
    const sessions = this.#sessions.get(caller) ?? new Set();
    sessions.add(items);
    this.#sessions.set(caller, sessions);
    return {
      add: (item) => items.add(item.kind === "turn" ? turnKey(item) : activityKey(item)),
      close: () => {
        sessions.delete(items);
        if (sessions.size === 0) {
          this.#sessions.delete(caller);
        }
      },
    };
  }

  /** Takes back a turn; false when no worker of the caller was given it. */
  takeTurn(caller: string, completion: TurnCompletion): boolean {
    return this.#take(caller, turnKey(completion));
  }

  /** Takes back an activity; false when no worker of the caller was given it. */
  takeActivity(caller: string, completion: ActivityCompletion): boolean {
    return this.#take(caller, activityKey(completion));
  }

  #take(caller: string, key: string): boolean {
    for (const items of this.#sessions.get(caller) ?? []) {
      if (items.delete(key)) {
        return true;
      }
    }
    return false;
  }
}

function turnKey({ instanceId }: { readonly instanceId: string }): string {
  return `turn ${instanceId}`;
}

function activityKey(item: { readonly instanceId: string; readonly taskId: number }): string {
  return `activity ${item.taskId} ${item.instanceId}`;
}
