// SPDX-License-Identifier: Apache-2.0

import type { Instance } from "@pawl/engine";
import {
  collectEvent,
  endText,
  expectedOutput,
  type Program,
  tooLarge,
} from "../workflow/program.ts";
import { begin, requireEnd, type Scenario, type Stage } from "./scenario.ts";

/** Something over a limit: that alone is refused, or fails, and what is beside it goes on. */
export const tooMuch: Scenario = async (stage) => {
  const { random, settings } = stage.world;
  const { run } = random.pick<{ weight: number; run: Scenario }>([
    { weight: 1, run: largeStart },
    { weight: 1, run: largeEvent },
    { weight: 1, run: largeResult },
    { weight: 1, run: largeAsking },
    { weight: settings.historyEvents === undefined ? 0 : 4, run: longHistory },
  ]);
  await run(stage);
};

/** A start whose input is over the limit leaves nothing, and its id is free. */
const largeStart: Scenario = async (stage) => {
  const { caller, programs, world } = stage;
  const id = stage.newId("large");
  await requireRefused(stage, `large start ${id}`, (engine) =>
    engine.start({ workflow: "program", instanceId: id, input: tooLarge }),
  );
  if (world.disk.allRows(id).length > 0) note(stage, `${id} is there`);
  const program = programs.pure(0);
  await begin(stage, id, program);
  const end = await caller.insist(() => caller.waitForEnd(id));
  requireEnd(stage, id, end, expectedOutput(program) ?? "");
};

/** An event that is over the limit does not come, and those around it do. */
const largeEvent: Scenario = async (stage) => {
  const { caller } = stage;
  const id = stage.newId("large");
  await begin(stage, id, [{ do: "collect", renewAfter: 0 }]);
  await requireRefused(stage, `large event for ${id}`, (engine) =>
    engine.raiseEvent(id, collectEvent, tooLarge),
  );
  await caller.insist(() => caller.raise(id, collectEvent, endText));
  requireEnd(stage, id, await caller.insist(() => caller.waitForEnd(id)), "[]");
};

/** An activity's result that is over the limit fails its task, and its workflow goes on. */
const largeResult: Scenario = async (stage) => {
  const { caller, programs } = stage;
  const id = stage.newId("large");
  const program: Program = [{ do: "large", key: programs.key() }, ...programs.pure(0)];
  await begin(stage, id, program);
  const end = await caller.insist(() => caller.waitForEnd(id));
  requireEnd(stage, id, end, expectedOutput(program) ?? "");
};

/** A workflow that asks for something with an input over the limit fails. */
const largeAsking: Scenario = async (stage) => {
  const { caller, programs } = stage;
  const id = stage.newId("large");
  await begin(stage, id, [...programs.pure(0), { do: "askLarge" }]);
  const end = await caller.insist(() => caller.waitForEnd(id));
  requireFailed(stage, id, end.kind === "value" ? end.value : undefined, "PayloadTooLarge");
};

/** A history that would be over the limit takes nothing of the turn in, and its workflow fails. */
const longHistory: Scenario = async (stage) => {
  const { caller, programs, world } = stage;
  const { historyEvents = 0 } = world.settings;
  const id = stage.newId("large");
  await begin(stage, id, [
    ...programs.pure(0),
    { do: "grow", timers: historyEvents },
    { do: "nap", ms: 1 },
  ]);
  const end = await caller.insist(() => caller.waitForEnd(id));
  const found = end.kind === "value" ? end.value : undefined;
  requireFailed(stage, id, found, "HistoryTooLarge");
  if (found !== undefined && found.historyLength > historyEvents) {
    note(stage, `${id} has ${found.historyLength} of ${historyEvents} events`);
  }
};

async function requireRefused(
  stage: Stage,
  label: string,
  send: Parameters<Stage["world"]["call"]>[1],
): Promise<void> {
  const { caller, world } = stage;
  const answer = await caller.insist(() => world.call(label, send));
  if (answer.kind === "refused" && answer.code === "PAYLOAD_TOO_LARGE") return;
  note(stage, `${label}: ${answer.kind === "refused" ? answer.code : "taken"}`);
}

function requireFailed(
  stage: Stage,
  id: string,
  found: Instance | undefined,
  errorType: string,
): void {
  if (found?.status === "failed" && found.failure?.type === errorType) return;
  note(stage, `${id} is ${found?.status}: ${found?.failure?.type}`);
}

function note({ world }: Stage, found: string): void {
  world.violation("what is too much is refused, and nothing else", found);
}
