// SPDX-License-Identifier: Apache-2.0

import type { Instance } from "@pawl/engine";
import { briefName } from "../workflow/names.ts";
import type { Program } from "../workflow/program.ts";
import type { Scenario, Stage } from "./scenario.ts";

/**
 * An id that is used a few times, each time by a workflow that is kept for a moment after its end. No
 * execution goes before its time, and when all is over nothing is left.
 */
export const brief: Scenario = async (stage) => {
  const { caller, programs, world } = stage;
  const { random } = world;
  const id = stage.newId(briefName);
  for (let left = random.integer(1, 3); left > 0; left -= 1) {
    await startAnyhow(stage, id, programs.pure());
    if (random.chance(0.2)) await caller.insist(() => caller.control("terminate", id));
    await untilIt(stage, id, (instance) => instance?.completedAt !== undefined);
    await caller.pause(world.settings.briefMs ?? 0);
  }
  await untilIt(stage, id, (instance) => instance === undefined);
};

/** Starts an instance; the id cannot be had before all below the execution before has ended, too. */
async function startAnyhow({ caller }: Stage, id: string, program: Program): Promise<void> {
  const start = () => caller.start(id, program, { workflow: briefName });
  while ((await caller.insist(start)).kind === "refused") await caller.pause(500);
}

/** Looks at an instance until it is gone, or something is so. */
async function untilIt(
  { caller, world }: Stage,
  id: string,
  isSo: (instance: Instance | undefined) => boolean,
): Promise<void> {
  for (;;) {
    const { kind, value } = { value: undefined, ...(await caller.insist(() => caller.get(id))) };
    if (kind === "value" && (value === undefined || isSo(value))) return;
    if (kind === "refused") world.violation("an instance can be read", id);
    await caller.pause(1000);
  }
}
