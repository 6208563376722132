// SPDX-License-Identifier: Apache-2.0

import { TurnoverMap } from "@pawl/protocol";
import type { Snapshot } from "../mailbox.js";

/** Told of every commit of an instance; `undefined`: it was purged, or cannot be read because of `error`. */
export type Listener = (snapshot: Snapshot | undefined, error?: unknown) => void;

/** Who waits for what happens to an instance. */
export class Waiters {
  readonly #listeners = new TurnoverMap<string, Set<Listener>>();
  readonly #watchers = new Set<() => void>();

  /** Calls `listener` after each commit of the instance, until the returned function is called. */
  add(instanceId: string, listener: Listener): () => void {
    let listeners = this.#listeners.get(instanceId);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(instanceId, listeners);
    }
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      // Those who came after the last had gone have a set of their own.
      if (listeners.size === 0 && this.#listeners.get(instanceId) === listeners) {
        this.#listeners.delete(instanceId);
      }
    };
  }

  /** The instances that somebody waits for. */
  ids(): string[] {
    return [...this.#listeners.keys()];
  }

  /** Calls `watcher` after each commit of any instance, until the returned function is called. */
  addWatcher(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Tells those who wait for changes of all instances. */
  notifyAll(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Tells all who wait for the instance. */
  notify(instanceId: string, snapshot: Snapshot | undefined): void {
    this.#tell(instanceId, snapshot, undefined);
  }

  /** Tells all who wait for the instance that it cannot be read. */
  fail(instanceId: string, error: unknown): void {
    this.#tell(instanceId, undefined, error);
  }

  #tell(instanceId: string, snapshot: Snapshot | undefined, error: unknown): void {
    const listeners = this.#listeners.get(instanceId);
    if (listeners === undefined) return;
    // One that has what it waited for takes itself out.
    for (const listener of listeners) listener(snapshot, error);
  }
}
