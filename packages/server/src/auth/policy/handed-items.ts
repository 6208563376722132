// SPDX-License-Identifier: Apache-2.0

import type { ActivityCompletion, TurnCompletion, WorkItem } from "@pawl/engine";

/** Tokens of the items that a session was given, oldest first, by what they are about. */
type SessionItems = Map<string, Set<string>>;

/** Remembers which work items a caller's worker was given. */
export class HandedItems {
  readonly #sessions = new Map<string, Set<SessionItems>>();

  /** A worker of a caller has connected. */
  open(caller: string): { add(item: WorkItem): void; close(): void } {
    const items: SessionItems = new Map();
    const sessions = this.#sessions.get(caller) ?? new Set();
    sessions.add(items);
    this.#sessions.set(caller, sessions);
    return {
      add: (item) => add(items, item),
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
    return this.#take(caller, turnKey(completion), completion.token);
  }

  /** Takes back an activity; false when no worker of the caller was given it. */
  takeActivity(caller: string, completion: ActivityCompletion): boolean {
    return this.#take(caller, activityKey(completion), completion.token);
  }

  /** A token that is not the item's takes nothing: what comes late, or twice, leaves the next one alone. */
  #take(caller: string, key: string, wanted: string): boolean {
    for (const items of this.#sessions.get(caller) ?? []) {
      const tokens = items.get(key);
      const [oldest] = tokens ?? [];
      if (tokens?.delete(wanted === "" ? (oldest ?? "") : wanted) === true) {
        if (tokens.size === 0) items.delete(key);
        return true;
      }
    }
    return false;
  }
}

/** An instance has one turn at a time, so that a new one takes the place of another. */
function add(items: SessionItems, item: WorkItem): void {
  if (item.kind === "turn") {
    items.set(turnKey(item), new Set([item.token]));
    return;
  }
  const key = activityKey(item);
  const tokens = items.get(key) ?? new Set();
  items.set(key, tokens.add(item.token));
}

function turnKey({ instanceId }: { readonly instanceId: string }): string {
  return `turn ${instanceId}`;
}

function activityKey(item: { readonly instanceId: string; readonly taskId: number }): string {
  return `activity ${item.taskId} ${item.instanceId}`;
}
