// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent } from "@pawl/protocol";
import { rerunPrefix } from "../workflow/names.ts";
import { otherInput, otherOutput } from "../workflow/other-input.ts";
import { expectedOutput } from "../workflow/program.ts";
import { begin, requireEnd, type Scenario, type Stage } from "./scenario.ts";

/**
 * A program that is run, and then once more from one of its events on: it comes to the same, but for what
 * an activity makes of another input.
 */
export const again: Scenario = async (stage) => {
  const { caller, programs, world } = stage;
  const id = stage.newId("first");
  const program = programs.pure();
  const expected = expectedOutput(program) ?? "";
  await begin(stage, id, program);
  requireEnd(stage, id, await caller.insist(() => caller.waitForEnd(id)), expected);
  const event = await someEvent(stage, id);
  if (event === undefined) return;
  const { eventId, eventType } = event;
  const asked = eventType.case === "taskScheduled" ? eventType.value.input : undefined;
  const input = asked !== undefined && world.random.chance(0.5) ? otherInput(asked) : undefined;
  const newInstanceId = stage.newId(rerunPrefix);
  const command = {
    eventId,
    newInstanceId,
    ...(input === undefined ? {} : { replaceInput: { input } }),
  };
  let unsure = false;
  const answer = await caller.insist(async () => {
    const attempt = await caller.rerun(id, command);
    unsure ||= attempt.kind === "unknown";
    return attempt;
  });
  if (answer.kind === "refused" && !unsure) {
    world.violation("a rerun to a new id is taken", `${newInstanceId}: ${answer.code}`);
  }
  const end = await caller.insist(() => caller.waitForEnd(newInstanceId));
  const output = input === undefined ? expected : otherOutput(expected, input);
  requireEnd(stage, newInstanceId, end, output);
};

/** An event that something can be done again from. */
async function someEvent({ caller, world }: Stage, id: string): Promise<HistoryEvent | undefined> {
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
  return events[world.random.integer(0, events.length - 1)];
}
