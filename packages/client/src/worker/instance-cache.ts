// SPDX-License-Identifier: Apache-2.0

import { TurnoverMap } from "@pawl/protocol";
import type { Replay } from "./replay/replay.js";

/**
 * The instances that a worker holds between turns, bounded by their count: past it, the one whose
 * last turn is longest ago is let go.
 */
export class InstanceCache {
  readonly #limit: number;
  readonly #replays = new TurnoverMap<string, Replay>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes an instance out, if it is held in this execution. */
  take(instanceId: string, executionId: string): Replay | undefined {
    const replay = this.#replays.get(instanceId);
    this.#replays.delete(instanceId);
    return replay?.executionId === executionId ? replay : undefined;
  }

  /** Holds an instance; returns the id of the one that it displaced, if any. */
  put(replay: Replay): string | undefined {
    this.#replays.delete(replay.instanceId);
    this.#replays.set(replay.instanceId, replay);
    if (this.#replays.size <= this.#limit) return undefined;
    const [oldest] = this.#replays.keys();
    if (oldest !== undefined) this.#replays.delete(oldest);
    return oldest;
  }

  /** Lets an instance go. */
  delete(instanceId: string): void {
    this.#replays.delete(instanceId);
  }
}
