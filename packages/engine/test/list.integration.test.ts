// SPDX-License-Identifier: Apache-2.0

import type { Condition, Instance, ListQuery } from "@pawl/protocol/port";
import { describe, expect, test } from "vitest";
import { versionNotAvailable } from "./actions.js";
import { flows } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";

/** Every page of a list. */
async function pages(under: EngineUnderTest, query: ListQuery): Promise<Instance[][]> {
  const all: Instance[][] = [];
  let pageToken: string | undefined;
  do {
    const page = await under.engine.list(pageToken === undefined ? query : { ...query, pageToken });
    all.push([...page.instances]);
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  return all;
}

const idsOf = (instances: readonly Instance[]): string[] =>
  instances.map(({ instanceId }) => instanceId).sort();

async function openWith(count: number): Promise<EngineUnderTest> {
  const under = await EngineUnderTest.open();
  const starts = Array.from({ length: count }, (_, index) =>
    under.engine.start({
      workflow: index % 2 === 0 ? "even" : "odd",
      instanceId: `${index % 3 === 0 ? "blue" : "red"}-${index}`,
      input: `${index}`,
      tags: { every: "one" },
    }),
  );
  await Promise.all(starts);
  return under;
}

describe("list()", () => {
  test("has every instance once, page by page", async () => {
    const under = await openWith(50);
    for (const pageSize of [1, 7, 49, 50, 1000]) {
      const found = await pages(under, { pageSize });
      // A last page that is full has no token either.
      expect(found).toHaveLength(Math.ceil(50 / pageSize));
      expect(found.every((page) => page.length <= pageSize)).toBe(true);
      expect(new Set(found.flat().map(({ instanceId }) => instanceId)).size).toBe(50);
      expect(found.flat()).toHaveLength(50);
    }
    await under.engine.close();
  });

  test("has a hundred on a page when nothing is said", async () => {
    const under = await openWith(120);
    expect((await pages(under, {})).map((page) => page.length)).toEqual([100, 20]);
    await under.engine.close();
  });

  test("has no token on the only page, and none when there is nothing", async () => {
    const under = await openWith(3);
    expect((await under.engine.list()).nextPageToken).toBeUndefined();
    const empty = await EngineUnderTest.open();
    expect(await empty.engine.list()).toEqual({ instances: [] });
    await Promise.all([under.engine.close(), empty.engine.close()]);
  });

  test("filters by workflow, status and the beginning of the id", async () => {
    const under = await openWith(20);
    under.connect({ workflows: ["even"], flows: { even: flows.echo } });
    await under.engine.idle();
    const count = async (query: ListQuery): Promise<number> =>
      (await pages(under, { pageSize: 3, ...query })).flat().length;
    expect(await count({ workflow: "even" })).toBe(10);
    expect(await count({ workflow: "neither" })).toBe(0);
    expect(await count({ statuses: ["completed"] })).toBe(10);
    expect(await count({ statuses: ["pending", "completed"] })).toBe(20);
    expect(await count({ statuses: [] })).toBe(20);
    expect(await count({ instanceIdPrefix: "blue-" })).toBe(7);
    expect(
      await count({ instanceIdPrefix: "blue-", workflow: "even", statuses: ["completed"] }),
    ).toBe(4);
    await under.engine.close();
  });

  test.each([
    ["eq", ["b"]],
    ["neq", ["a", "bb", "c"]],
    ["lt", ["a"]],
    ["lte", ["a", "b"]],
    ["gt", ["bb", "c"]],
    ["gte", ["b", "bb", "c"]],
    ["prefix", ["b", "bb"]],
  ] as const)("compares ids: %s", async (op, wanted) => {
    const under = await EngineUnderTest.open();
    for (const instanceId of ["c", "b", "bb", "a"]) {
      await under.engine.start({ workflow: "w", instanceId });
    }
    const where = { field: "instanceId", op, value: "b" } as const;
    for (const sortBy of [undefined, "id", "created", "updated"] as const) {
      const query = sortBy === undefined ? { where } : { where, sortBy };
      expect((await pages(under, query)).flatMap(idsOf)).toEqual(wanted);
    }
    await under.engine.close();
  });

  test("has payloads unless they are not asked for", async () => {
    const under = await openWith(1);
    const [full] = (await under.engine.list()).instances;
    expect(full).toEqual(await under.engine.get("blue-0"));
    expect(full?.input).toBe("0");
    const [bare] = (await under.engine.list({ payloads: false })).instances;
    expect(bare).toEqual(await under.engine.get("blue-0", { payloads: false }));
    expect(bare).not.toHaveProperty("input");
    await under.engine.close();
  });

  test.each(["id", "created", "updated"] as const)(
    "ends a page by %s when its payloads have no more room",
    async (sortBy) => {
      const under = await EngineUnderTest.open();
      const sizes = [1, 3_000_000, 1000, 1_500_000, 1_500_000, 1_500_000, 3_600_000, 3_600_000, 1];
      for (const [index, size] of sizes.entries()) {
        const input = "x".repeat(size);
        await under.engine.start({ workflow: "w", instanceId: `${index}`, input });
        under.clock.advance(1000);
      }
      const found = (await pages(under, { sortBy })).map((page) =>
        page.map(({ input = "" }) => input.length),
      );
      expect(found).toEqual([
        [1, 3_000_000, 1000],
        [1_500_000, 1_500_000],
        [1_500_000],
        [3_600_000],
        [3_600_000],
        [1],
      ]);
      expect(await pages(under, { sortBy, payloads: false })).toHaveLength(1);
      await under.engine.close();
    },
  );

  test("shows the input of an instance that stalled in its first turn", async () => {
    const under = await openWith(1);
    const worker = under.connect({});
    await worker.completeTurn(await worker.turn(), [versionNotAvailable(0)]);
    const [stalled] = (await under.engine.list()).instances;
    expect(stalled).toMatchObject({ status: "stalled", input: "0" });
    await under.engine.close();
  });

  test("goes on where it was, whatever came and went meanwhile", async () => {
    const under = await openWith(30);
    const first = await under.engine.list({ pageSize: 10 });
    const rest = idsOf((await pages(under, { pageSize: 1000 })).flat()).filter(
      (id) => !idsOf(first.instances).includes(id),
    );
    for (const { instanceId } of first.instances) {
      await under.engine.purge(instanceId, { force: true });
    }
    const next = await under.engine.list({
      pageSize: 100,
      ...(first.nextPageToken === undefined ? {} : { pageToken: first.nextPageToken }),
    });
    expect(idsOf(next.instances)).toEqual(rest);
    await under.engine.close();
  });

  test.each(["x", "AAAA", "_____w", "//8", "AABo", Buffer.alloc(40, 0xff).toString("base64url")])(
    "refuses %j, which is no token",
    async (pageToken) => {
      const under = await openWith(1);
      await expect(under.engine.list({ pageToken })).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
      await under.engine.close();
    },
  );

  test("refuses the token of another filter or order", async () => {
    const under = await openWith(10);
    const query = { workflow: "even", pageSize: 2 } as const;
    const { nextPageToken: pageToken = "" } = await under.engine.list(query);
    expect((await under.engine.list({ ...query, pageSize: 3, pageToken })).instances).toHaveLength(
      3,
    );
    const others: ListQuery[] = [
      { workflow: "odd" },
      { workflow: "even", descending: true },
      { workflow: "even", sortBy: "id" },
      { workflow: "even", statuses: ["pending"] },
      { workflow: "even", tags: { a: "b" } },
      { workflow: "even", createdBefore: 9e9 },
      { workflow: "even", updatedFrom: 1 },
      { workflow: "even", parentInstanceId: "p" },
      { workflow: "even", instanceIdPrefix: "i" },
      { workflow: "even", tagPrefixes: { a: "b" }, sortBy: "created" },
      { workflow: "even", where: { field: "version", op: "neq", value: "1" } },
    ];
    for (const other of others) {
      await expect(under.engine.list({ ...other, pageToken })).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining("another filter"),
      });
    }
    await under.engine.close();
  });

  test("costs the same number of reads when a hundred times as much is stored", async () => {
    const queries: ListQuery[] = [
      {},
      { workflow: "even" },
      { statuses: ["pending"] },
      { statuses: ["pending"], workflow: "even", descending: true },
      { statuses: ["pending"], tags: { every: "one" } },
      { workflow: "odd", tags: { every: "one" } },
      { where: { field: "workflow", op: "in", value: ["odd", "even", "neither"] } },
      { sortBy: "created", descending: true },
      { sortBy: "updated" },
      { instanceIdPrefix: "red-" },
      { tags: { every: "one" } },
      { tagPrefixes: { every: "o" } },
    ];
    const costs = await Promise.all(
      [40, 4000].map(async (count) => {
        const under = await openWith(count);
        const reads: number[] = [];
        for (const query of queries) {
          const before = under.faults.callCount();
          const { instances } = await under.engine.list({
            ...query,
            pageSize: 10,
            payloads: false,
          });
          expect(instances).toHaveLength(10);
          reads.push(under.faults.callCount() - before);
        }
        await under.engine.close();
        return reads;
      }),
    );
    const [few = [], many = []] = costs;
    few.forEach((reads, at) => {
      expect(many[at], JSON.stringify(queries[at])).toBeLessThanOrEqual(reads + 16);
    });
  });

  test("looks only where there is something that the page may have", async () => {
    const under = await openWith(400);
    const newest: ListQuery = { sortBy: "created", descending: true, pageSize: 1, payloads: false };
    const readsOf = async (query: ListQuery): Promise<number> => {
      const before = under.faults.callCount();
      expect((await under.engine.list(query)).instances).toHaveLength(1);
      return under.faults.callCount() - before;
    };
    // The first one finds out what there is.
    await readsOf(newest);
    // One status is there, in sixteen partitions; the row, and what comes after the one that is taken.
    expect(await readsOf(newest)).toBeLessThan(2 * 16);
    // What has just come to be there is known, too.
    await under.engine.terminate("blue-0");
    const ended = await under.engine.list({ ...newest, statuses: ["terminated"] });
    expect(ended.instances.map(({ instanceId }) => instanceId)).toEqual(["blue-0"]);
    await under.engine.close();
  });

  test("goes on past many that a filter does not let through, page by page", async () => {
    const under = await EngineUnderTest.open();
    const starts = Array.from({ length: 10_050 }, (_, index) =>
      under.engine.start({
        workflow: "w",
        instanceId: `i-${String(index).padStart(6, "0")}`,
        tags: { rest: index === 10_040 ? "this" : "other" },
      }),
    );
    await Promise.all(starts);
    const where: Condition = { field: "tag", tag: "rest", op: "neq", value: "other" };
    const first = await under.engine.list({ where });
    expect(first).toEqual({ instances: [], nextPageToken: expect.any(String) });
    expect(idsOf((await pages(under, { where })).flat())).toEqual(["i-010040"]);
    // Few of many are found at once in any order, where an index knows them.
    for (const sortBy of ["id", "created", "updated"] as const) {
      const { instances, nextPageToken } = await under.engine.list({
        sortBy,
        tags: { rest: "this" },
      });
      expect(idsOf(instances)).toEqual(["i-010040"]);
      expect(nextPageToken).toBeUndefined();
    }
    await under.engine.close();
  });

  test.each<ListQuery>([
    { createdFrom: Number.NaN },
    { updatedBefore: Number.POSITIVE_INFINITY },
    { tags: { a: "x".repeat(1025) } },
    { tagPrefixes: { ["k".repeat(257)]: "" } },
  ])("refuses %j, which is no filter", async (query) => {
    const under = await openWith(1);
    await expect(under.engine.list(query)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await under.engine.close();
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses a page of %d",
    async (pageSize) => {
      const under = await openWith(1);
      await expect(under.engine.list({ pageSize })).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
      await under.engine.close();
    },
  );
});

describe("get()", () => {
  test("has what was given at the start", async () => {
    const under = await EngineUnderTest.open();
    const { instanceId, executionId } = await under.engine.start({
      workflow: "w",
      input: '{"a":1}',
      tags: { team: "blue" },
    });
    expect(await under.engine.get(instanceId)).toEqual({
      instanceId,
      executionId,
      workflow: "w",
      status: "pending",
      generation: 1,
      createdAt: 1_000_000,
      updatedAt: 1_000_000,
      input: '{"a":1}',
      tags: { team: "blue" },
      historyLength: 0,
    });
    await under.engine.close();
  });

  test("says the same of an instance in memory and of one on disk", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    await under.engine.start({ workflow: "echo", instanceId: "b", input: "x", startAt: 9e6 });
    await under.engine.start({ workflow: "echo", instanceId: "c", input: "x" });
    await under.engine.idle();
    const before = await Promise.all(["a", "b", "c"].map((id) => under.engine.get(id)));
    const after = await under.crash();
    const again = await Promise.all(["a", "b", "c"].map((id) => after.engine.get(id)));
    expect(again).toEqual(before);
    await after.engine.close();
  });

  test("has nothing of an id that nobody has", async () => {
    const under = await EngineUnderTest.open();
    expect(await under.engine.get("nobody")).toBeUndefined();
    expect(await under.engine.get("a\u0000b")).toBeUndefined();
    await under.engine.close();
  });
});
