// SPDX-License-Identifier: Apache-2.0

import type { ConcurrencyLimits, WorkItem } from "@pawl/engine";
import { has, nameOf } from "./fleet.ts";
import type { Connection, SimWorker } from "./worker.ts";
import type { World } from "./world/world.ts";

/** Checks what must be true when the server hands work to a worker. */
export function checkHandOut(
  world: World,
  worker: SimWorker,
  connection: Connection,
  item: WorkItem,
): void {
  const { life, open } = connection;
  if (!connection.isAlive) world.violation("work goes to workers that are there", item.kind);
  // A server that has reopened its store has forgotten who has what.
  if (connection.incarnation !== life.incarnation) open.clear();
  connection.incarnation = life.incarnation;
  open.add(item);
  checkName(world, worker, connection, item);
  checkSize(world, worker, item);
  world.handedOn?.check(item);
  // What is purged gives its place back, at a moment that nobody outside can see.
  if (item.kind === "turn" && world.hasPurged) return;
  checkRoom(world, worker, connection, item);
  checkLimits(world, item);
}

/** A worker is not sent a turn that is larger than it said that it takes. */
function checkSize(world: World, { code, registration }: SimWorker, item: WorkItem): void {
  if (item.kind === "activity" || code.turnBytes === undefined) return;
  const parts = [...item.past, ...item.events.map((record) => record.bytes)];
  const bytes = parts.reduce((sum, part) => sum + part.length, item.propagated?.length ?? 0);
  if (bytes <= code.turnBytes) return;
  const found = `${registration.name}: ${bytes} of ${code.turnBytes} bytes`;
  world.violation("a worker is sent no turn that is too large for it", found);
}

/** A worker is not given more than it said that it takes. */
function checkRoom(
  world: World,
  { registration }: SimWorker,
  { open }: Connection,
  { kind }: WorkItem,
): void {
  const { name, turnLimit, activityLimit } = registration;
  const limit = kind === "turn" ? turnLimit : activityLimit;
  const count = [...open].filter((other) => other.kind === kind).length;
  if (limit === undefined || count <= limit) return;
  world.violation("a worker gets no more than it takes", `${name}: ${count} of ${limit} ${kind}s`);
}

/** All workers together are not given more than the server's limits say. */
function checkLimits(world: World, item: WorkItem): void {
  // It may have been chosen before they were changed.
  const held = isChosenNow(item) ? [world.settings] : world.settingsSince(0);
  const name = nameOf(item);
  const alike = world.workers
    .flatMap((worker) => [...worker.openItems()])
    .filter(({ kind }) => kind === item.kind);
  const check = (what: (limits: ConcurrencyLimits) => number | undefined, count: number): void => {
    const limit = Math.max(
      ...held.map(({ concurrency }) => what(concurrency) || Number.POSITIVE_INFINITY),
    );
    if (count <= limit) return;
    world.violation("limits on work at once hold", `${count} of ${limit}: ${name}`);
  };
  const isTurn = item.kind === "turn";
  check((limits) => (isTurn ? limits.turns : limits.activities), alike.length);
  const named = alike.filter((other) => nameOf(other) === name).length;
  const limitOf = ({ turnsOf, activitiesOf }: ConcurrencyLimits): number | undefined =>
    item.kind === "turn" ? turnsOf?.[item.workflow] : activitiesOf?.[item.name];
  check(limitOf, named);
}

/** False where a history had to be read: the item was chosen before. */
function isChosenNow(item: WorkItem): boolean {
  return item.kind === "activity" ? item.propagated === undefined : item.past.length === 0;
}

/** A worker is not asked for what it lacks, as far as the server can know, while another has it. */
function checkName(world: World, worker: SimWorker, { denied }: Connection, item: WorkItem): void {
  const { code, registration } = worker;
  const name = nameOf(item);
  const note = (found: string): void =>
    world.violation("work goes to those who have it", `${registration.name}: ${found}`);
  if (code.tells === "announces" && !has(code, item)) note(`${name} was not announced`);
  const said = denied.get(name);
  // Others may have come since it was chosen.
  if (!isChosenNow(item) || said === undefined) return;
  // An answer for what was purged meanwhile is nobody's.
  const isLost = world.disk.row(said.instanceId)?.executionId !== said.executionId;
  if (said.kind === "turn" && isLost) return;
  if (world.workers.some((other) => other !== worker && other.mayHave(item))) {
    note(`${name} was denied, and is asked for again`);
  }
}
