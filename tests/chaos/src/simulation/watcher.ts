// SPDX-License-Identifier: Apache-2.0

import type { FeedItem, Instance } from "@pawl/engine";
import { follow } from "./world/follow.ts";
import type { World } from "./world/world.ts";

/**
 * Somebody who watches all instances, over lives of the server and broken connections, and goes on each
 * time after the last item that came: no state is told twice, and none that lasts is missed.
 */
export class Watcher {
  readonly #world: World;
  /** The newest state of each instance that was told; undefined: it was purged. */
  readonly #view = new Map<string, Instance | undefined>();
  #token: string | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  /** Begins to watch; does not end. */
  watch(): void {
    this.#run().catch((error: unknown) => {
      this.#world.violation("a watch does not fail", String(error));
    });
  }

  /** Holds what was told against what there is, when all is at rest. */
  check(instances: ReadonlyMap<string, { readonly instance: Instance }>): void {
    for (const [id, { instance }] of instances) {
      const told = this.#view.get(id);
      if (told !== undefined && isSame(told, instance)) continue;
      this.#world.violation(
        "a watch has no gap",
        `${id}: ${stateOf(told)} for ${stateOf(instance)}`,
      );
    }
    for (const [id, told] of this.#view) {
      if (told === undefined || instances.has(id)) continue;
      this.#world.violation("a watch tells of purges", `${id}: ${stateOf(told)}`);
    }
  }

  async #run(): Promise<void> {
    const end = await follow(
      this.#world,
      (engine) => {
        const place = this.#token === undefined ? { existing: true } : { resumeToken: this.#token };
        return engine.watchAll({}, { ...place, payloads: false });
      },
      (item) => this.#take(item),
    );
    this.#world.violation("a watch of all does not end", end);
  }

  #take(item: FeedItem): void {
    const { disk, trace } = this.#world;
    this.#token = item.resumeToken;
    if (item.kind === "purged") this.#view.set(item.instanceId, undefined);
    if (item.kind === "resynced") this.#world.violation("a watch is not left behind", "resynced");
    if (item.kind !== "changed") return;
    const { instance } = item;
    const { instanceId } = instance;
    trace.note(`  watched ${instanceId}: ${stateOf(instance)}`);
    const before = this.#view.get(instanceId);
    if (before !== undefined && isSame(before, instance)) {
      this.#world.violation("a watch has no repeat", `${instanceId}: ${stateOf(instance)}`);
    }
    const isDurable = disk.allRows(instanceId).some((row) => {
      const { executionId, status, historyLength } = instance;
      const isIt = row?.executionId === executionId && row.status === status;
      return isIt && row.eventCount === historyLength;
    });
    if (!isDurable) this.#world.violation("what is watched is durable", instanceId);
    this.#view.set(instanceId, instance);
  }
}

function isSame(a: Instance, b: Instance): boolean {
  return (
    a.executionId === b.executionId && a.status === b.status && a.historyLength === b.historyLength
  );
}

function stateOf(instance: Instance | undefined): string {
  if (instance === undefined) return "nothing";
  const { executionId, status, historyLength } = instance;
  return `${status} ${executionId} with ${historyLength} events`;
}
