// SPDX-License-Identifier: Apache-2.0

import { collectEvent, expectedOutput } from "../workflow/program.ts";
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
  // Messages for one target arrive one after the other: those before its start, for nobody, hold that up.
  const target = children[0]?.id ?? "";
  const sends = Array.from({ length: random.integer(0, 9) }, () => {
    return { do: "send", id: target, event: collectEvent, text: caller.token("n") } as const;
  });
  await begin(stage, id, [{ do: "detach", ...spared }, ...sends, { do: "leave", children }]);
  requireEnd(stage, id, await caller.insist(() => caller.waitForEnd(id)), "[]");
  // What was below the execution before is not below the present one.
  const isAgain = random.chance(0.3) && (await startAgain(stage, id, children));
  await purgeAll(stage, id, children, force);
  if (!force && !isAgain) checkEnded(stage, children);
  if (!isAgain) for (const child of children) caller.purged.add(child.id);
  const end = await caller.insist(() => caller.waitForEnd(spared.id));
  requireEnd(stage, spared.id, end, expectedOutput(spared.program) ?? "");
};

/**
 * The id can be used again once all that was asked for below it has ended, and not before. False: it was
 * refused.
 */
async function startAgain(
  { caller, world }: Stage,
  id: string,
  children: readonly { readonly id: string }[],
): Promise<boolean> {
  const answer = await caller.start(id, []);
  if (answer.kind !== "value") return answer.kind === "unknown";
  const open = children.find((child) => !world.disk.row(child.id)?.completedAt);
  if (open !== undefined) world.violation("an id is not used above what goes on", open.id);
  await caller.insist(() => caller.waitForEnd(id));
  return true;
}

/** A purge without force takes what has ended, and nothing that is on its way. */
function checkEnded({ world }: Stage, children: readonly { readonly id: string }[]): void {
  for (const { id } of children) {
    const last = world.disk.allRows(id).findLast((row) => row !== undefined);
    if (last?.completedAt) continue;
    world.violation("a purge without force takes what has ended", `${id}: ${last?.status}`);
  }
}

/** Purges an instance with all below it, once that has ended if it is not done by force. */
async function purgeAll(
  { caller }: Stage,
  id: string,
  children: readonly { readonly id: string }[],
  force: boolean,
): Promise<void> {
  for (;;) {
    const answer = await caller.insist(() => caller.purge(id, { recursive: true, force }));
    if (answer.kind === "value" || answer.code !== "INSTANCE_NOT_ENDED") return;
    for (const child of children) await caller.insist(() => caller.waitForEnd(child.id));
    await caller.pause(500);
  }
}
