// SPDX-License-Identifier: Apache-2.0

import type { Instance } from "@pawl/engine";
import type { StoredRow } from "@pawl/engine/testing";
import type { Caller, StartMore } from "../caller.ts";
import { collectEvent, endText, expectedOutput, type Program } from "../workflow/program.ts";
import type { ProgramMaker } from "../workflow/random-program.ts";
import type { Answer, World } from "../world/world.ts";

/** What a scenario works with. */
export interface Stage {
  readonly world: World;
  readonly caller: Caller;
  readonly programs: ProgramMaker;
  /** Ids that everybody uses. */
  readonly shared: readonly string[];
  /** An id that nobody else uses. */
  newId(kind: string): string;
}

/** Something that a caller does, with what has to come of it. */
export type Scenario = (stage: Stage) => Promise<void>;

/** Starts an instance on an id of one's own, however often it takes. */
export async function begin(
  { caller, world }: Stage,
  instanceId: string,
  program: Program,
  more: StartMore = {},
): Promise<void> {
  let unsure = false;
  const answer = await caller.insist(async () => {
    const attempt = await caller.start(instanceId, program, more);
    unsure ||= attempt.kind === "unknown";
    return attempt;
  });
  // One that was taken without an answer is refused when it is repeated.
  if (answer.kind === "refused" && !unsure) {
    world.violation("a start of a new id is taken", `${instanceId}: ${answer.code}`);
  }
}

/** Notes an end that is not the right one. */
export function requireEnd(
  { world }: Stage,
  instanceId: string,
  answer: Answer<Instance>,
  output: string,
): void {
  const found = answer.kind === "value" ? answer.value : undefined;
  if (found?.status === "completed" && found.output === output) return;
  const seen = `${found?.status} ${found?.output} ${found?.failure?.message ?? ""}`;
  world.violation("the result is right", `${instanceId}: ${seen} in place of ${output}`);
}

/** A program that nothing from outside has a say in, on ids of its own. */
export const pure: Scenario = async (stage) => {
  const { caller, programs, world } = stage;
  const { random } = world;
  const id = stage.newId("pure");
  const ends: Instance[] = [];
  for (let round = 0; round < (random.chance(0.3) ? 2 : 1); round += 1) {
    const program = programs.pure();
    const isDelayed = random.chance(0.2);
    await begin(stage, id, program, isDelayed ? { startAt: world.clock.now() + 200 } : {});
    if (random.chance(0.3)) {
      await caller.control("suspend", id);
      await caller.insist(() => caller.control("resume", id));
    }
    const end = await caller.insist(() => caller.waitForEnd(id));
    requireEnd(stage, id, end, expectedOutput(program) ?? "");
    if (end.kind === "value") ends.push(end.value);
  }
  for (const end of ends) await requireKept(stage, end, end === ends.at(-1));
  if (random.chance(0.3)) {
    const purged = await caller.insist(() => caller.purge(id));
    const seen = await caller.insist(() => caller.get(id));
    if (purged.kind === "value" && seen.kind === "value" && seen.value !== undefined) {
      world.violation("a purged instance is gone", id);
    }
  }
};

/** An ended execution can be read as long as it is kept, also when its id was used again. */
async function requireKept(
  { caller, world }: Stage,
  end: Instance,
  isPresent: boolean,
): Promise<void> {
  const { instanceId, executionId } = end;
  const answer = await caller.insist(() =>
    world.call(`get ${executionId}`, (engine) => engine.get(instanceId, { executionId })),
  );
  const found = answer.kind === "value" ? answer.value : undefined;
  const wanted = isPresent || world.settings.keepExecutions ? end.output : undefined;
  if (answer.kind === "value" && found?.output === wanted) return;
  const what = `${instanceId} ${executionId}: ${found?.output} in place of ${wanted}`;
  world.violation("ended executions are kept, if at all", what);
}

/** An event as its sender knows it. */
interface Sent {
  readonly text: string;
  readonly sender: number;
  attempts: number;
  isAcknowledged: boolean;
}

/** Who does not end after so many calls for it does not end at all. */
const mostAsked = 1000;

/** Events of several senders, over continue-as-new, suspended in between: each once and in order. */
export const collect: Scenario = async (stage) => {
  const { caller, world } = stage;
  const { random } = world;
  const id = stage.newId("collect");
  const renewAfter = random.chance(0.5) ? random.integer(1, 3) : 0;
  await begin(stage, id, [{ do: "collect", renewAfter }]);
  const sent: Sent[] = [];
  const senders = Array.from({ length: random.integer(1, 3) }, (_, sender) =>
    sendAll(stage, id, sender, sent),
  );
  await Promise.all([...senders, random.chance(0.4) ? suspendForAWhile(stage, id) : undefined]);
  let isOver = false;
  const end = caller
    .insist(() => caller.waitForEnd(id))
    .then((answer) => {
      isOver = true;
      return answer;
    });
  for (let asked = 0; !isOver; asked += 1) {
    if (asked === mostAsked) return world.violation("who is told to end ends", id);
    await caller.raise(id, collectEvent, endText);
    await caller.pause(500);
  }
  const answer = await end;
  const output = answer.kind === "value" ? (answer.value.output ?? "[]") : "[]";
  checkTaken(world, id, sent, JSON.parse(output));
};

async function sendAll(
  { caller, world }: Stage,
  id: string,
  sender: number,
  sent: Sent[],
): Promise<void> {
  const count = world.random.integer(1, 5);
  for (let index = 0; index < count; index += 1) {
    const event: Sent = { text: caller.token("e"), sender, attempts: 0, isAcknowledged: false };
    sent.push(event);
    const mostAttempts = world.random.integer(1, 2);
    while (event.attempts < mostAttempts && !event.isAcknowledged) {
      event.attempts += 1;
      const answer = await caller.raise(id, collectEvent, event.text);
      event.isAcknowledged = answer.kind === "value";
      if (answer.kind === "refused") {
        world.violation("an event of a running instance is taken", `${id}: ${answer.code}`);
      }
    }
    if (world.random.chance(0.5)) await caller.pause(20);
  }
}

/** Suspends an instance: once it is, it stays so to the resume, whatever execution it comes to. */
async function suspendForAWhile({ caller, world }: Stage, id: string): Promise<void> {
  await caller.pause(20);
  await caller.insist(() => caller.control("suspend", id));
  if (world.random.chance(0.5)) await untilSuspended(caller, id);
  const { steps: since } = world.scheduler;
  const isSuspended = (row: StoredRow | undefined): boolean => row?.status === "suspended";
  const [first] = world.disk.rowsSince(id, since);
  await caller.pause(200);
  const rows = world.disk.rowsSince(id, since);
  if (isSuspended(first)) {
    // It may stall meanwhile, and the next execution has not begun at first.
    const other = rows.find(
      (row) => !isSuspended(row) && row?.status !== "stalled" && row?.eventCount !== 0,
    );
    if (other !== undefined)
      world.violation("a suspension ends with a resume", `${id}: ${other.status}`);
    const isSame = rows.every((row) => row?.executionId === first?.executionId);
    if (!isSame && world.settings.holdsBack) world.violation("who is suspended does nothing", id);
  }
  await caller.insist(() => caller.control("resume", id));
}

async function untilSuspended(caller: Caller, id: string): Promise<void> {
  for (;;) {
    const answer = await caller.insist(() => caller.get(id));
    if (answer.kind === "value" && answer.value?.status === "suspended") return;
    await caller.pause(300);
  }
}

function checkTaken(world: World, id: string, sent: readonly Sent[], taken: string[]): void {
  const note = (rule: string, what: string): void =>
    world.violation(rule, `${id}: ${what} in ${taken.join()}`);
  const newest = new Map<number, number>();
  for (const text of new Set(taken)) {
    if (!sent.some((event) => event.text === text)) note("no event comes from nowhere", text);
  }
  for (const [index, event] of sent.entries()) {
    const count = taken.filter((text) => text === event.text).length;
    if (count === 0 && event.isAcknowledged) note("no acknowledged event is lost", event.text);
    if (count > event.attempts) note("no event comes more often than it was raised", event.text);
    const at = taken.indexOf(event.text);
    if (at < 0) continue;
    const before = newest.get(event.sender) ?? -1;
    if (at < before) note("events of a sender keep their order", `${event.text} (${index})`);
    newest.set(event.sender, taken.lastIndexOf(event.text));
  }
}

/** A workflow that starts another and sends it events at once: none is early, and none overtakes. */
export const relay: Scenario = async (stage) => {
  const { caller, world } = stage;
  const id = stage.newId("relay");
  const target = stage.newId("target");
  const texts = Array.from({ length: world.random.integer(1, 4) }, () => caller.token("r"));
  const sends = [...texts, endText].map((text) => {
    return { do: "send", id: target, event: collectEvent, text } as const;
  });
  const program: Program = [{ do: "collect", renewAfter: world.random.integer(0, 2) }];
  await begin(stage, id, [{ do: "detach", id: target, program }, ...sends]);
  await caller.insist(() => caller.waitForEnd(id));
  const end = await caller.insist(() => caller.waitForEnd(target));
  requireEnd(stage, target, end, JSON.stringify(texts));
};

/** A tree of workflows, some on ids that others use, ended or deleted from the top. */
export const family: Scenario = async (stage) => {
  const { caller, programs, world } = stage;
  const { random } = world;
  const id = stage.newId("family");
  const kids = Array.from({ length: random.integer(1, 3) }, () => ({
    id: random.chance(0.3) ? (stage.shared[0] ?? "") : stage.newId("kid"),
    program: programs.wild(stage.shared, 0),
  }));
  await begin(stage, id, [{ do: "children", children: kids }]);
  await caller.pause(200);
  await caller.insist(() => caller.control("terminate", id, true));
  caller.endedTrees.add(id);
  const end = await caller.insist(() => caller.waitForEnd(id));
  if (end.kind !== "value") return;
  if (random.chance(0.4)) {
    for (const kid of kids) caller.meddled.add(kid.id);
    await caller.insist(() => caller.purge(id, { recursive: true, force: random.chance(0.5) }));
  }
};

/** Anything, at any moment, on ids that everybody uses. */
export const wild: Scenario = async (stage) => {
  const { caller, programs, world, shared } = stage;
  const { random } = world;
  for (let left = random.integer(4, 12); left > 0; left -= 1) {
    const id = shared[random.integer(0, shared.length - 1)] ?? "";
    const { what } = random.pick([
      { weight: 4, what: "start" },
      { weight: 5, what: "raise" },
      { weight: 1, what: "suspend" },
      { weight: 1.5, what: "resume" },
      { weight: 1, what: "terminate" },
      { weight: 1, what: "purge" },
      { weight: 1.5, what: "get" },
      { weight: 1, what: "list" },
    ] as const);
    if (what === "start") {
      const isDelayed = random.chance(0.15);
      const startAt = world.clock.now() + random.integer(0, 300);
      const more = { ...(isDelayed ? { startAt } : {}), unique: random.chance(0.1) };
      caller.meddled.add(id);
      await caller.start(id, programs.wild(shared), more);
    } else if (what === "raise") {
      await caller.raise(id, random.chance(0.5) ? "one" : "two", caller.token("w"));
    } else if (what === "purge") {
      await caller.purge(id, { force: random.chance(0.4), recursive: random.chance(0.5) });
    } else if (what === "get") await caller.get(id);
    else if (what === "list") await caller.list(random.chance(0.5) ? "running" : "completed");
    else await caller.control(what, id, random.chance(0.6));
    await caller.pause(60);
  }
};
