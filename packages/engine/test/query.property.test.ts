// SPDX-License-Identifier: Apache-2.0

import { instanceStatuses } from "@pawl/protocol/message";
import type { ListQuery } from "@pawl/protocol/port";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boundsOf } from "../src/runtime/read/query/bounds.js";
import { conditionOf } from "../src/runtime/read/query/condition.js";
import { Extents } from "../src/runtime/read/query/extents.js";
import { readPage } from "../src/runtime/read/query/page.js";
import { orderOf } from "../src/runtime/read/query/plan.js";
import { encodeRow, Row, rowStatus } from "../src/store/codec.js";
import { updatedAtOf } from "../src/store/index/index-key.js";
import { draftIndexes } from "../src/store/index/index-writes.js";
import { rowKey } from "../src/store/key.js";
import { openMemoryStore } from "../src/store/memory-store.js";
import { put, type Store, type StoreWrite } from "../src/store/store.js";
import { conditionsOf, isMeant } from "./conditions.js";

interface Stored {
  readonly instanceId: string;
  readonly row: Row;
}

const name = fc.constantFrom("a", "ab", "b", "a\0b");
const value = fc.string({ unit: fc.constantFrom("x", "y", "\0", "é"), maxLength: 3 });
const instant = fc.integer({ min: 0, max: 6000 });
const tags = fc.dictionary(fc.constantFrom("k", "kk", "l"), value, { maxKeys: 3 });

const id = fc.string({ unit: fc.constantFrom("a", "b", "é", "-"), minLength: 1, maxLength: 5 });

const stored: fc.Arbitrary<Stored> = fc
  .record({
    instanceId: id,
    workflow: name,
    status: fc.integer({ min: 1, max: 7 }),
    createdAt: instant,
    updatedAt: instant,
    parent: fc.option(fc.constantFrom("p", "pp"), { nil: undefined }),
    completedAt: fc.nat(6000),
    version: fc.constantFrom("", "1", "2"),
    tags,
  })
  .map(({ instanceId, parent, ...rest }) => {
    const row = Object.assign(new Row(), rest);
    if (parent !== undefined) row.parent = { instanceId: parent, executionId: "", taskId: 0 };
    return { instanceId, row };
  });

const conditions: fc.Arbitrary<Required<Omit<ListQuery, "payloads" | "pageToken">>> = fc.record({
  statuses: fc.subarray([...instanceStatuses]),
  workflow: name,
  instanceIdPrefix: fc.constantFrom("a", "ab", "é", ""),
  createdFrom: instant,
  createdBefore: instant,
  updatedFrom: instant,
  updatedBefore: instant,
  parentInstanceId: fc.constantFrom("p", "pp"),
  tags: fc.dictionary(fc.constantFrom("k", "l"), value, { maxKeys: 2 }),
  tagPrefixes: fc.dictionary(fc.constantFrom("k", "l"), value, { minKeys: 1, maxKeys: 2 }),
  where: conditionsOf({
    ids: id,
    workflows: name,
    parents: fc.constantFrom("p", "pp"),
    tags: fc.constantFrom("k", "kk", "l"),
    tagValues: value,
    statuses: fc.constantFrom(...instanceStatuses),
    instants: fc.oneof(
      instant,
      instant.map((at) => at + 0.5),
    ),
  }),
  sortBy: fc.constantFrom("id", "created", "updated"),
  descending: fc.boolean(),
  pageSize: fc.integer({ min: 1, max: 12 }),
});

const fields = [
  "statuses",
  "workflow",
  "instanceIdPrefix",
  "createdFrom",
  "createdBefore",
  "updatedFrom",
  "updatedBefore",
  "parentInstanceId",
  "tags",
  "tagPrefixes",
  "where",
  "where",
  "where",
] as const;

/** Few conditions at a time, so that something is found. */
const query: fc.Arbitrary<ListQuery> = fc
  .tuple(conditions, fc.subarray([...fields], { maxLength: 2 }), fc.boolean())
  .map(([all, chosen, isSorted]) => {
    const filter = Object.fromEntries(chosen.map((field) => [field, all[field]]));
    const { pageSize, descending, sortBy } = all;
    return { ...filter, pageSize, descending, ...(isSorted ? { sortBy } : {}) };
  });

async function write(store: Pick<Store, "write">, instances: readonly Stored[]): Promise<void> {
  const writes: StoreWrite[] = [];
  for (const { instanceId, row } of instances) {
    writes.push(put(rowKey(instanceId), encodeRow(row)));
    draftIndexes(instanceId, undefined, row, writes);
  }
  await store.write(writes);
}

/** What a list has to have, in its order, by the plain meaning of the query. */
function expected(instances: readonly Stored[], wanted: ListQuery): string[] {
  const found = instances.filter((instance) => isWanted(instance, wanted));
  const sorted = found.sort((a, b) => compareBy(wanted, a, b));
  if (wanted.descending) sorted.reverse();
  return sorted.map(({ instanceId }) => instanceId);
}

function isWanted({ instanceId, row }: Stored, wanted: ListQuery): boolean {
  const created = row.createdAt;
  const updated = updatedAtOf(row);
  return [
    !wanted.statuses?.length || wanted.statuses.includes(rowStatus(row)),
    !wanted.workflow || row.workflow === wanted.workflow,
    instanceId.startsWith(wanted.instanceIdPrefix ?? ""),
    created >= (wanted.createdFrom ?? 0) && created < (wanted.createdBefore ?? 1e9),
    updated >= (wanted.updatedFrom ?? 0) && updated < (wanted.updatedBefore ?? 1e9),
    !wanted.parentInstanceId || row.parent?.instanceId === wanted.parentInstanceId,
    Object.entries(wanted.tags ?? {}).every(([key, text]) => row.tags[key] === text),
    Object.entries(wanted.tagPrefixes ?? {}).every(([key, text]) =>
      row.tags[key]?.startsWith(text),
    ),
    wanted.where === undefined || isMeant(wanted.where, instanceId, row),
  ].every((holds) => holds);
}

function compareBy(wanted: ListQuery, a: Stored, b: Stored): number {
  const order = orderOf(wanted);
  const [first = ""] = [...boundsOf(conditionOf(wanted)).tagPrefixes.keys()].sort();
  const bytes = (text: string | undefined): Buffer => Buffer.from(text ?? "", "utf8");
  const byTag = Buffer.compare(bytes(a.row.tags[first]), bytes(b.row.tags[first]));
  const byCreation = a.row.createdAt - b.row.createdAt;
  const bySecond = Math.floor(updatedAtOf(a.row) / 1000) - Math.floor(updatedAtOf(b.row) / 1000);
  const byId = Buffer.compare(bytes(a.instanceId), bytes(b.instanceId));
  const keys = { id: [], created: [byCreation], updated: [bySecond], tag: [byTag, byCreation] };
  return [...keys[order], byId].find((sign) => sign !== 0) ?? 0;
}

describe("a list", () => {
  test("has what the filter lets through, once and in order, over all its pages", async () => {
    let longLists = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(stored, {
          selector: ({ instanceId }) => instanceId,
          minLength: 1,
          maxLength: 60,
        }),
        query,
        fc.constantFrom(0, 5, 1000),
        fc.option(fc.nat(60), { nil: undefined }),
        async (instances, wanted, sortLimit, learnt) => {
          const store = await openMemoryStore();
          await write(store, instances.slice(0, learnt));
          const extents = new Extents(store);
          if (learnt !== undefined) await extents.read();
          await write(extents, instances.slice(learnt ?? instances.length));
          const seen: string[] = [];
          for (let pageToken: string | undefined = ""; pageToken !== undefined; ) {
            const page = await readPage(store, { ...wanted, pageToken, payloads: false }, fail, {
              sortLimit,
              // Where nothing was learnt, nothing is known.
              ...(learnt === undefined ? {} : { extents }),
            });
            expect(page.instances.length).toBeLessThanOrEqual(wanted.pageSize ?? 0);
            seen.push(...page.instances.map(({ instanceId }) => instanceId));
            pageToken = page.nextPageToken;
          }
          expect(seen).toEqual(expected(instances, wanted));
          if (seen.length > (wanted.pageSize ?? 0)) longLists += 1;
          await store.close();
        },
      ),
      { numRuns: 800 },
    );
    // Most of them would have nothing to say if the filters let nothing through.
    expect(longLists).toBeGreaterThan(100);
  });
});

function fail(instanceId: string): void {
  throw new Error(`${instanceId} is damaged`);
}
