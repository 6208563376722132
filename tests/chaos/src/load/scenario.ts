// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../random.ts";
import type { Caller } from "./caller.ts";
import {
  accumulate,
  type ChainInput,
  chain,
  chained,
  childId,
  collect,
  type FamilyInput,
  family,
  familySum,
  fannedOut,
  fanOut,
  hold,
  nap,
  race,
  relay,
  shaky,
} from "./definitions.ts";
import { createEntry, type Entry, type Sender } from "./ledger.ts";

/** What a scenario works with. */
export interface Stage {
  readonly caller: Caller;
  readonly random: Random;
  /** Free for the scenario, as is every id that begins with it. */
  readonly instanceId: string;
}

/** What a caller does with one instance, from its start to its end. */
export interface Scenario {
  readonly name: string;
  /** How often it is chosen, relative to the others. */
  readonly weight: number;
  readonly run: (stage: Stage) => Promise<void>;
}

/** All scenarios. */
export const scenarios: readonly Scenario[] = [
  { name: "chain", weight: 3, run: (stage) => runToEnd(stage, chainEntry(stage)) },
  { name: "shaky", weight: 1, run: (stage) => runToEnd(stage, chainEntry(stage, shaky.name)) },
  { name: "fan-out", weight: 3, run: (stage) => runToEnd(stage, fanOutEntry(stage)) },
  { name: "nap", weight: 2, run: (stage) => runToEnd(stage, napEntry(stage)) },
  { name: "family", weight: 2, run: (stage) => runToEnd(stage, familyEntry(stage)) },
  { name: "collect", weight: 4, run: (stage) => runCollect(stage, collect.name) },
  { name: "accumulate", weight: 3, run: (stage) => runCollect(stage, accumulate.name) },
  { name: "race", weight: 3, run: runRace },
  { name: "relay", weight: 2, run: runRelay },
  { name: "terminate", weight: 3, run: runTerminate },
  { name: "delayed start", weight: 1, run: runDelayed },
  { name: "starts side by side", weight: 2, run: runSideBySide },
  { name: "start once", weight: 1, run: runStartOnce },
];

async function runToEnd(stage: Stage, entry: Entry): Promise<void> {
  await stage.caller.start(entry);
  await finish(stage, entry);
}

/** Waits for the end; then, at times, purges the instance, or starts its id anew. */
async function finish(stage: Stage, entry: Entry): Promise<void> {
  const { caller, random } = stage;
  await caller.waitForEnd(entry, random.chance(0.2));
  const isPurged = random.chance(0.25);
  if (isPurged) await caller.purge(entry);
  // An id is not free while there is a child that a terminate has not reached yet.
  const isFree = isPurged || entry.terminate === "no" || entry.children.length === 0;
  if (!isFree || !random.chance(isPurged ? 0.4 : 0.1)) return;
  const again = chainEntry({ ...stage, instanceId: entry.instanceId });
  await caller.start(again, { replace: !isPurged });
  await caller.waitForEnd(again, false);
}

async function runCollect(stage: Stage, workflow: string): Promise<void> {
  const { caller, random, instanceId } = stage;
  const senders = Array.from({ length: random.integer(1, 3) }, (_, index) => {
    return { sender: `sender-${index}`, sent: [] };
  });
  const last = random.integer(2, 12);
  const timeout = random.chance(0.3) ? { timeoutMs: random.integer(5, 150) } : {};
  const itemsPerExecution = random.integer(1, 5);
  const names = senders.map(({ sender }) => sender);
  const input = { senders: names, last, itemsPerExecution, ...timeout };
  const entry = createEntry({
    instanceId,
    workflow,
    input,
    expected: { kind: "items", senders },
  });
  await caller.start(entry);
  const paces = senders.map((_, index) => random.fork(index));
  await Promise.all([
    ...senders.map((sender, index) => {
      const pace = paces[index] ?? random;
      return caller.raise(entry, sender, last, () => pace.integer(0, 15));
    }),
    ...(random.chance(0.3) ? [suspendForAWhile(stage, entry)] : []),
  ]);
  await finish(stage, entry);
}

async function suspendForAWhile({ caller, random }: Stage, entry: Entry): Promise<void> {
  const pace = random.fork(100);
  await caller.pause(pace.integer(0, 50));
  await caller.suspend(entry);
  await caller.pause(pace.integer(0, 100));
  await caller.resume(entry);
}

async function runRace(stage: Stage): Promise<void> {
  const { caller, random, instanceId } = stage;
  const last = random.integer(1, 6);
  const input = { execution: 0, last, delayMs: random.integer(0, 10) };
  const output = chained({ value: last, steps: 1, delayMs: 0 });
  const expected = { kind: "output", output } as const;
  const entry = createEntry({ instanceId, workflow: race.name, input, expected });
  await caller.start(entry);
  for (let sent = 0; sent < last; sent += 1) {
    await caller.pause(random.integer(0, 12));
    await caller.raiseGo(entry);
  }
  await finish(stage, entry);
}

async function runRelay(stage: Stage): Promise<void> {
  const { caller, random, instanceId } = stage;
  const count = random.integer(1, 8);
  const relays = Array.from({ length: random.integer(1, 2) }, (_, index) => {
    return `${instanceId}/relay-${index}`;
  });
  const senders = relays.map((sender): Sender => {
    const sent = Array.from({ length: count }, (_, index) => {
      return { n: index + 1, attempts: 1, acknowledged: true };
    });
    return { sender, sent };
  });
  const target = createEntry({
    instanceId,
    workflow: random.chance(0.5) ? collect.name : accumulate.name,
    input: { senders: relays, last: count, itemsPerExecution: random.integer(1, 3) },
    expected: { kind: "items", senders },
  });
  const sending = relays.map((relayId) =>
    createEntry({
      instanceId: relayId,
      workflow: relay.name,
      input: { targetId: instanceId, count, delayMs: random.integer(0, 10) },
      expected: { kind: "output", output: count },
    }),
  );
  await caller.start(target);
  await Promise.all(sending.map((entry) => caller.start(entry)));
  await Promise.all(sending.map((entry) => caller.waitForEnd(entry, false)));
  await finish(stage, target);
}

async function runTerminate(stage: Stage): Promise<void> {
  const { caller, random } = stage;
  const makers = [holdEntry, holdEntry, familyEntry, chainEntry];
  const make = makers[random.integer(0, makers.length - 1)] ?? holdEntry;
  const entry = make(stage);
  await caller.start(entry);
  await caller.pause(random.integer(0, 60));
  await caller.terminate(entry);
  await finish(stage, entry);
}

async function runDelayed(stage: Stage): Promise<void> {
  const { caller, random } = stage;
  const entry = chainEntry(stage);
  await caller.start(entry, { startAt: Date.now() + random.integer(0, 1500) });
  if (random.chance(0.3)) await caller.terminate(entry);
  await finish(stage, entry);
}

async function runSideBySide(stage: Stage): Promise<void> {
  const { caller, random } = stage;
  for (let round = 0; round < 6; round += 1) {
    const sender: Sender = { sender: "sender-0", sent: [] };
    const entry = createEntry({
      instanceId: `${stage.instanceId}/${round}`,
      workflow: collect.name,
      input: { senders: [sender.sender], last: 1 },
      expected: { kind: "items", senders: [sender] },
    });
    await caller.startSideBySide(entry, random.integer(2, 4));
    await caller.raise(entry, sender, 1, () => 0);
    await caller.waitForEnd(entry, false);
  }
}

async function runStartOnce(stage: Stage): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    const entry = chainEntry({ ...stage, instanceId: `${stage.instanceId}/${round}` });
    if (await stage.caller.startOnce(entry)) await stage.caller.waitForEnd(entry, false);
  }
}

function chainInput(random: Random): ChainInput {
  const value = random.integer(0, 1000);
  return { value, steps: random.integer(1, 8), delayMs: random.integer(0, 12) };
}

function chainEntry({ random, instanceId }: Stage, workflow: string = chain.name): Entry {
  const input = chainInput(random);
  const expected = { kind: "output", output: chained(input) } as const;
  return createEntry({ instanceId, workflow, input, expected });
}

function napEntry({ random, instanceId }: Stage): Entry {
  const input = { ...chainInput(random), waitMs: random.integer(1, 1500) };
  const expected = { kind: "output", output: chained(input) } as const;
  return createEntry({ instanceId, workflow: nap.name, input, expected });
}

function fanOutEntry({ random, instanceId }: Stage): Entry {
  const value = random.integer(0, 1000);
  const input = { value, width: random.integer(2, 12), delayMs: random.integer(0, 12) };
  const expected = { kind: "output", output: fannedOut(input) } as const;
  return createEntry({ instanceId, workflow: fanOut.name, input, expected });
}

function familyEntry({ random, instanceId }: Stage): Entry {
  const input = {
    value: random.integer(0, 1000),
    steps: random.integer(1, 3),
    delayMs: random.integer(0, 8),
    children: random.integer(1, 3),
    depth: random.integer(0, 1),
  };
  return familyMember(instanceId, input);
}

function familyMember(instanceId: string, input: FamilyInput): Entry {
  const children = Array.from({ length: input.children }, (_, index) => {
    const below = { ...input, value: input.value + index, depth: input.depth - 1 };
    const id = childId(instanceId, index);
    if (input.depth > 0) return familyMember(id, below);
    const expected = { kind: "output", output: chained(below) } as const;
    return createEntry({
      instanceId: id,
      workflow: chain.name,
      input: below,
      expected,
    });
  });
  const expected = { kind: "output", output: familySum(input) } as const;
  return createEntry({ instanceId, workflow: family.name, input, expected, children });
}

function holdEntry({ random, instanceId }: Stage): Entry {
  const input = { children: random.integer(0, 3), delayMs: random.integer(0, 40) };
  const expected = { kind: "none" } as const;
  const below = { children: 0, delayMs: input.delayMs };
  const children = Array.from({ length: input.children }, (_, index) =>
    createEntry({
      instanceId: childId(instanceId, index),
      workflow: hold.name,
      input: below,
      expected,
    }),
  );
  return createEntry({ instanceId, workflow: hold.name, input, expected, children });
}
