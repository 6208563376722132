// SPDX-License-Identifier: Apache-2.0

import type { InstanceChange } from "@pawl/engine";
import type { HistoryEvent } from "@pawl/protocol";
import { collectEvent, endText, type Program } from "../workflow/program.ts";
import { follow } from "../world/follow.ts";
import type { World } from "../world/world.ts";
import { begin, type Scenario } from "./scenario.ts";

/** An instance whose history somebody follows from its start to its end: all of it comes, and once. */
export const watched: Scenario = async (stage) => {
  const { caller, programs, world } = stage;
  const { random } = world;
  const id = stage.newId("watched");
  const isCollecting = random.chance(0.6);
  const renewAfter = random.chance(0.5) ? random.integer(1, 3) : 0;
  const program: Program = isCollecting ? [{ do: "collect", renewAfter }] : programs.pure();
  await begin(stage, id, program);
  let isOver = false;
  const watching = watchToEnd(world, id)
    .catch((error: unknown) => world.violation("a watch does not fail", String(error)))
    .finally(() => {
      isOver = true;
    });
  for (let left = isCollecting ? random.integer(1, 5) : 0; left > 0; left -= 1) {
    await caller.raise(id, collectEvent, caller.token("v"));
    await caller.pause(50);
  }
  while (isCollecting && !isOver) {
    await caller.raise(id, collectEvent, endText);
    await caller.pause(500);
  }
  await watching;
};

/** Follows an instance to its end, and holds what came against what there is. */
async function watchToEnd(world: World, id: string): Promise<void> {
  const watch = new InstanceWatch(world, id);
  const end = await follow(world, (engine) => engine.watch(id, watch.options()), watch.take);
  if (end === "refused") world.violation("a watch finds its instance", id);
  watch.checkEnd();
}

/** What came of one instance. */
class InstanceWatch {
  readonly #world: World;
  readonly #id: string;
  #last: InstanceChange | undefined;
  #events: HistoryEvent[] = [];

  constructor(world: World, id: string) {
    this.#world = world;
    this.#id = id;
  }

  options(): { history: true; resumeToken?: string } {
    if (this.#last === undefined) return { history: true };
    return { history: true, resumeToken: this.#last.resumeToken };
  }

  readonly take = (change: InstanceChange): void => {
    const { instance, events = [], restarted } = change;
    const { executionId, status, historyLength } = instance;
    const note = (rule: string, found: string): void =>
      this.#world.violation(rule, `${this.#id}: ${found}`);
    const before = this.#last?.instance;
    const isOther = before !== undefined && before.executionId !== executionId;
    if (restarted !== isOther) note("a watch tells of a new execution", executionId);
    if (isOther) this.#events = [];
    this.#events.push(...events);
    if (this.#events.length !== historyLength) {
      const found = `${this.#events.length} events of ${historyLength}`;
      note("a watched history has no gap and no repeat", found);
    }
    const isSame = JSON.stringify(instance) === JSON.stringify(before);
    if (isSame) note("a watch has no repeat", `${status} ${executionId}`);
    this.#world.trace.note(`  watched ${this.#id}: ${status} with ${historyLength} events`);
    this.#last = change;
  };

  /** The stream has ended by itself: with the end of the instance, and the event that says so. */
  checkEnd(): void {
    const last = this.#events.at(-1)?.eventType.case;
    const isEnded = this.#last?.instance.completedAt !== undefined;
    if (isEnded && this.#events.some(({ eventType }) => eventType.case === "executionCompleted")) {
      return;
    }
    this.#world.violation("a watch ends with its instance", `${this.#id}: ${last}`);
  }
}
