// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Engine, type ListQuery, openEngine } from "@pawl/engine";

// What a page of a list costs with few and with many instances stored, in a data folder on disk:
// `node bench/dist/page-cost.js 1000 1000000`. Prints one line of JSON for each query.

/** Starts that are under way at once while the folder is filled. */
const startsAtOnce = 1000;
const rounds = 25;
/** Instances between two lines that say how far the filling is. */
const progressEach = 100_000;

/** Of each eleventh instance that is stored; so they are of every workflow and lot. */
const terminatedEach = 11;
/** Instances with a tag of their own, however many are stored. */
const rareCount = 60;

interface PageCost extends ListQuery {
  /** Instances that a page must have. @default 50 */
  readonly pageSize?: number;
}

const queries: Readonly<Record<string, PageCost>> = {
  "all, by id": {},
  "newest first": { sortBy: "created", descending: true },
  "last changed first": { sortBy: "updated", descending: true },
  "by workflow": { workflow: "w-3" },
  "by status": { statuses: ["pending"] },
  "by status, ended": { statuses: ["terminated"], descending: true },
  "by status and workflow": { statuses: ["pending"], workflow: "w-3", descending: true },
  "by status and workflow, ended": { statuses: ["terminated"], workflow: "w-3", pageSize: 5 },
  "by tag": { tags: { lot: "7" } },
  "by a tag's beginning": { tagPrefixes: { lot: "1" } },
  "by tag and workflow": { tags: { lot: "7" }, workflow: "w-7" },
  "by tag and status": { tags: { lot: "7" }, statuses: ["terminated"], pageSize: 4 },
  "by the beginning of the id": { instanceIdPrefix: "i-00" },
  "few, last changed first": { tags: { rare: "yes" }, sortBy: "updated", descending: true },
  "either status": {
    where: {
      any: [
        { field: "status", op: "eq", value: "terminated" },
        { field: "status", op: "eq", value: "suspended" },
      ],
    },
  },
  "either status or workflow": {
    where: {
      any: [
        { field: "status", op: "eq", value: "terminated" },
        { field: "workflow", op: "eq", value: "w-3" },
      ],
    },
  },
  "not a tag": { where: { field: "tag", tag: "lot", op: "neq", value: "7" } },
};

const [few = 1000, many = 100_000] = process.argv.slice(2).map(Number);
const costs = [await measure(few), await measure(many)];
for (const name of Object.keys(queries)) {
  const [fewMs = 0, manyMs = 0] = costs.map((cost) => cost.get(name) ?? 0);
  const ratio = Number((manyMs / fewMs).toFixed(2));
  process.stdout.write(`${JSON.stringify({ query: name, few, fewMs, many, manyMs, ratio })}\n`);
}

/** The median milliseconds of a page of 50 without payloads, by query. */
async function measure(count: number): Promise<ReadonlyMap<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), "pawl-page-cost-"));
  const engine = await openEngine({ dataDir: join(folder, "data"), queueLimit: count + 1 });
  try {
    await fill(engine, count);
    const cost = new Map<string, number>();
    for (const [name, query] of Object.entries(queries))
      cost.set(name, await median(engine, query));
    return cost;
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function fill(engine: Engine, count: number): Promise<void> {
  const rareEach = Math.floor(count / rareCount);
  for (let from = 0; from < count; from += startsAtOnce) {
    const size = Math.min(startsAtOnce, count - from);
    const starts = Array.from({ length: size }, (_, at) => {
      const index = from + at;
      const instanceId = idOf(index);
      return engine.start({
        workflow: `w-${index % 10}`,
        instanceId,
        tags: { lot: `${index % 20}`, ...(index % rareEach === 0 ? { rare: "yes" } : {}) },
      });
    });
    await Promise.all(starts);
    const ends = Array.from({ length: size }, (_, at) => from + at)
      .filter((index) => index % terminatedEach === 1)
      .map((index) => engine.terminate(idOf(index)));
    await Promise.all(ends);
    if (from % progressEach === 0) process.stderr.write(`» ${from + size} of ${count} stored\n`);
  }
}

function idOf(index: number): string {
  return `i-${String(index).padStart(8, "0")}`;
}

async function median(engine: Engine, { pageSize = 50, ...query }: PageCost): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const before = performance.now();
    const { instances } = await engine.list({ ...query, pageSize, payloads: false });
    times.push(performance.now() - before);
    if (instances.length !== pageSize) throw new Error(`a page has ${instances.length} instances`);
  }
  const sorted = times.sort((a, b) => a - b);
  return Number((sorted[Math.floor(rounds / 2)] ?? 0).toFixed(2));
}
