// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent } from "@pawl/protocol";
import { rerunPrefix } from "../workflow/names.ts";
import { expectedOutput } from "../workflow/program.ts";
import { begin, requireEnd, type Scenario, type Stage } from "./scenario.ts";

/** A program that is run, and then once more from one of its events on: it comes to the same. */
export const again: Scenario = async (stage) => {
  const { caller, programs, world } = stage;
  const id = stage.newId("first");
  const program = programs.pure();
  const expected = expectedOutput(program) ?? "";
  await begin(stage, id, program);
  requireEnd(stage, id, await caller.insist(() => caller.waitForEnd(id)), expected);
  const eventId = await someEvent(stage, id);
  if (eventId === undefined) return;
  const newInstanceId = stage.newId(rerunPrefix);
  let unsure = false;
  const answer = await caller.insist(async () => {
    const attempt = await caller.rerun(id, { eventId, newInstanceId });
    unsure ||= attempt.kind === "unknown";
    return attempt;
  });
  if (answer.kind === "refused" && !unsure) {
    world.violation("a rerun to a new id is taken", `${newInstanceId}: ${answer.code}`);
  }
  const end = await caller.insist(() => caller.waitForEnd(newInstanceId));
  requireEnd(stage, newInstanceId, end, expected);
};

/** An event that something can be done again from. */
async function someEvent({ caller, world }: Stage, id: string): Promise<number | undefined> {
  const answer = await caller.insist(() =>
    world.call(`history of ${id}`, (engine) => engine.history(id)),
  );
  const history: readonly HistoryEvent[] = answer.kind === "value" ? answer.value : [];
  const kinds: readonly unknown[] = [
    "taskScheduled",
    "timerCreated",
    "childWorkflowInstanceCreated",
  ];
  const events = history.filter(({ eventType }) => kinds.includes(eventType.case));
  return events[world.random.integer(0, events.length - 1)]?.eventId;
}
