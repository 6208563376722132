// SPDX-License-Identifier: Apache-2.0

import type { Instance } from "@pawl/engine";
import { briefName } from "../workflow/names.ts";
import { begin, type Scenario, type Stage } from "./scenario.ts";

/**
 * An id that is used a few times, each time by a workflow that is kept for a moment after its end. No
 * execution goes before its time, and when all is over nothing is left.
 */
export const brief: Scenario = async (stage) => {
  const { caller, programs, world } = stage;
  const { random } = world;
  const id = stage.newId(briefName);
  for (let left = random.integer(1, 3); left > 0; left -= 1) {
    await begin(stage, id, programs.pure(), { workflow: briefName });
    if (random.chance(0.2)) await caller.insist(() => caller.control("terminate", id));
    await untilIt(stage, id, (instance) => instance?.completedAt !== undefined);
    await caller.pause(world.settings.briefMs ?? 0);
  }
  await untilIt(stage, id, (instance) => instance === undefined);
};

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
