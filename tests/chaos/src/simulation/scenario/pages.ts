// SPDX-License-Identifier: Apache-2.0

import type { Instance, InstanceFilter, InstanceStatus, ListPage, ListQuery } from "@pawl/engine";
import type { StoredRow } from "@pawl/engine/testing";
import type { World } from "../world/world.ts";
import type { Scenario, Stage } from "./scenario.ts";

/** What a row says of a filter. */
type Matches = (instanceId: string, row: StoredRow | undefined) => boolean;

/**
 * A list that is followed page by page while instances come and go: what was there all the time and
 * matches is on one page, and what never did on none; all in the order that was asked for.
 */
export const pages: Scenario = async (stage) => {
  const { world } = stage;
  const { random, scheduler } = world;
  const { filter, matches } = randomFilter(world);
  const query: ListQuery = {
    ...filter,
    sortBy: random.chance(0.5) ? "created" : "id",
    descending: random.chance(0.5),
    pageSize: random.integer(1, 3),
    payloads: false,
  };
  const since = scheduler.steps;
  const seen = new Map<string, number>();
  let pageToken: string | undefined;
  let before: Instance | undefined;
  do {
    const page = await readPage(stage, pageToken === undefined ? query : { ...query, pageToken });
    if (page === undefined) return;
    for (const instance of page.instances) {
      const { instanceId } = instance;
      seen.set(instanceId, (seen.get(instanceId) ?? 0) + 1);
      if (before !== undefined && !isInOrder(query, before, instance)) {
        const what = `${JSON.stringify(query)}: ${instanceId} after ${before.instanceId}`;
        world.violation("pages are in their order", what);
      }
      before = instance;
    }
    pageToken = page.nextPageToken;
    await stage.caller.pause(30);
  } while (pageToken !== undefined);
  for (const id of world.disk.ids()) {
    const rows = world.disk.rowsSince(id, since);
    const fits = rows.map((row) => matches(id, row));
    const times = seen.get(id) ?? 0;
    const isOne = rows.every((row) => row?.executionId === rows[0]?.executionId);
    // Another execution is another place in the order.
    const isRight =
      isOne && fits.every((fit) => fit)
        ? times === 1
        : times === 0 || (fits.includes(true) && (!isOne || times === 1));
    if (isRight) continue;
    const what = `${JSON.stringify(query)}: ${id} ${times} times`;
    world.violation("pages have what was there, once", what);
  }
};

/** True when one comes after another in the order of a list. */
function isInOrder({ sortBy, descending }: ListQuery, before: Instance, after: Instance): boolean {
  const [low, high] = descending === true ? [after, before] : [before, after];
  return sortBy === "created" && low.createdAt !== high.createdAt
    ? low.createdAt < high.createdAt
    : low.instanceId < high.instanceId;
}

function randomFilter({ random }: World): { filter: InstanceFilter; matches: Matches } {
  const status: InstanceStatus = random.chance(0.5) ? "running" : "completed";
  const prefix = random.chance(0.5) ? "s" : "p";
  const { filter } = random.pick<{ weight: number; filter: InstanceFilter }>([
    { weight: 1, filter: {} },
    { weight: 1, filter: { statuses: [status] } },
    { weight: 1, filter: { instanceIdPrefix: prefix } },
    { weight: 1, filter: { statuses: [status], instanceIdPrefix: prefix } },
  ]);
  const { statuses, instanceIdPrefix = "" } = filter;
  const matches: Matches = (instanceId, row) =>
    row !== undefined &&
    instanceId.startsWith(instanceIdPrefix) &&
    (statuses?.includes(row.status) ?? true);
  return { filter, matches };
}

async function readPage({ caller, world }: Stage, query: ListQuery): Promise<ListPage | undefined> {
  const answer = await caller.insist(() => {
    caller.calls += 1;
    return world.call("list a page", (engine) => engine.list(query));
  });
  if (answer.kind === "value") return answer.value;
  world.violation("a page's token is taken", `${JSON.stringify(query)}: ${answer.code}`);
  return undefined;
}
