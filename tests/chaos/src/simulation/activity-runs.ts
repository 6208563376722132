// SPDX-License-Identifier: Apache-2.0

import type { ActivityItem } from "@pawl/engine";
import type { Connection } from "./worker.ts";
import type { ActivityInput } from "./workflow/program.ts";
import type { World } from "./world/world.ts";

interface Run {
  readonly connection: Connection;
  /** Of the item. */
  readonly token: string;
  /** The answer has come to the server: what becomes of it is the server's affair. */
  isOver: boolean;
}

/** Every run of an activity, and what must be true when one begins. */
export class ActivityRuns {
  readonly #world: World;
  readonly #runs = new Map<string, Run[]>();
  /** Activities whose results the engine has acknowledged. */
  readonly #answered = new Set<string>();
  #count = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Runs in all. */
  get count(): number {
    return this.#count;
  }

  /** The engine lets an activity out: what asked for it must be durable. */
  handedOut(item: ActivityItem): void {
    const { token }: ActivityInput = JSON.parse(item.input ?? "{}");
    const { disk } = this.#world;
    if (disk.hasToken(token)) return;
    // Of an execution that was replaced in the commit that would have held it.
    if (disk.row(item.instanceId)?.executionId !== item.executionId) return;
    this.#world.violation("no effect before its commit", `activity ${token} was handed out`);
  }

  /** A worker begins an activity: nobody who still has it may have begun it, too. */
  begin(connection: Connection, item: ActivityItem, token: string): void {
    this.#count += 1;
    const key = `${item.executionId} ${item.taskId}`;
    const runs = this.#runs.get(key) ?? [];
    const other = runs.find((run) => run.connection.isAlive && !run.isOver);
    if (other !== undefined) {
      const found = `activity ${token} of ${key} began again`;
      this.#world.violation("no activity runs twice while its worker is connected", found);
    }
    const row = this.#world.disk.row(item.instanceId);
    const isOpen = row?.completedAt === 0 && row.executionId === item.executionId;
    if (this.#answered.has(key) && isOpen) {
      const found = `activity ${token} of ${key} began again after its result`;
      this.#world.violation("an activity whose result is recorded is not run again", found);
    }
    runs.push({ connection, token: item.token, isOver: false });
    this.#runs.set(key, runs);
  }

  /** An answer arrives. */
  arrived({ executionId, taskId, token }: ActivityItem): void {
    for (const run of this.#runs.get(`${executionId} ${taskId}`) ?? []) {
      if (run.token === token) run.isOver = true;
    }
  }

  /** The engine has taken a result that it had to take. */
  answered({ executionId, taskId }: ActivityItem): void {
    this.#answered.add(`${executionId} ${taskId}`);
  }

  /** True when the activity with this token was begun. */
  hasRun(executionId: string, taskId: number): boolean {
    return this.#runs.has(`${executionId} ${taskId}`);
  }
}
