// SPDX-License-Identifier: Apache-2.0

import { expectedOutput } from "../workflow/program.ts";
import { begin, requireEnd, type Scenario, type Stage } from "./scenario.ts";

/**
 * A workflow that asks for children and ends without them, and is purged at once with all below it, also
 * while their starts are on their way: none of them is left, and what it detached goes on.
 */
export const orphan: Scenario = async (stage) => {
  const { caller, programs, world } = stage;
  const { random } = world;
  const id = stage.newId("leaver");
  const force = random.chance(0.6);
  const children = Array.from({ length: random.integer(1, 3) }, () => {
    // By force, what goes on is purged, too.
    const waits = force && random.chance(0.5);
    const program = waits ? ([{ do: "collect", renewAfter: 0 }] as const) : programs.pure(0);
    return { id: stage.newId("left"), program };
  });
  for (const child of children) caller.meddled.add(child.id);
  const spared = { id: stage.newId("spared"), program: programs.pure(0) };
  await begin(stage, id, [
    { do: "detach", ...spared },
    { do: "leave", children },
  ]);
  requireEnd(stage, id, await caller.insist(() => caller.waitForEnd(id)), "[]");
  await purgeAll(stage, id, force);
  for (const child of children) caller.purged.add(child.id);
  const end = await caller.insist(() => caller.waitForEnd(spared.id));
  requireEnd(stage, spared.id, end, expectedOutput(spared.program) ?? "");
};

/** Purges an instance with all below it, once that has ended if it is not done by force. */
async function purgeAll({ caller }: Stage, id: string, force: boolean): Promise<void> {
  for (;;) {
    const answer = await caller.insist(() => caller.purge(id, { recursive: true, force }));
    if (answer.kind === "value" || answer.code !== "INSTANCE_NOT_ENDED") return;
    await caller.pause(200);
  }
}
