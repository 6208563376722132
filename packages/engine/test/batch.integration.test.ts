// SPDX-License-Identifier: Apache-2.0

import type { Batch, BatchCommand, Condition, InstanceStatus } from "@pawl/protocol/port";
import { describe, expect, test } from "vitest";
import { decodeRow, encodeRow } from "../src/store/codec.js";
import { rowKey } from "../src/store/key.js";
import { put } from "../src/store/store.js";
import { batchKey } from "../src/store/store-key.js";
import { problemsOf } from "../src/testing/check-store.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";

/** An engine with waiting instances "a-0" … and a worker. */
async function openWith(count: number): Promise<EngineUnderTest> {
  const under = await EngineUnderTest.open();
  under.connect({ flows, tasks });
  await startMany(under, "a", count);
  return under;
}

async function startMany(
  under: EngineUnderTest,
  name: string,
  count: number,
  workflow = "gather",
): Promise<void> {
  const starts = Array.from({ length: count }, (_, index) =>
    under.engine.start({
      workflow,
      instanceId: `${name}-${index}`,
      input: "1",
      tags: { name },
    }),
  );
  await Promise.all(starts);
  await under.engine.idle();
}

async function countOf(under: EngineUnderTest, status: InstanceStatus): Promise<number> {
  return (await under.engine.list({ statuses: [status], pageSize: 1000 })).instances.length;
}

async function run(under: EngineUnderTest, command: BatchCommand): Promise<Batch> {
  const { batchId } = await under.engine.startBatch(command);
  return under.engine.waitForBatch(batchId);
}

const whole = { status: "completed", failedCount: 0, errors: [] } as const;

describe("startBatch()", () => {
  test("is for those for which a condition holds, also after a crash", async () => {
    const under = await openWith(6);
    const where = {
      any: [
        { field: "instanceId", op: "in", value: ["a-1", "a-4"] },
        { field: "tag", tag: "name", op: "neq", value: "a" },
      ],
    } as const satisfies Condition;
    const command = { action: "terminate", filter: { where }, batchId: "t" } as const;
    expect((await under.engine.startBatch(command)).filter.where).toEqual(where);
    const after = await under.crash();
    after.connect({ flows, tasks });
    const batch = await after.engine.waitForBatch("t");
    expect(batch).toMatchObject({ ...whole, matchedCount: 2, doneCount: 2 });
    expect(batch.filter.where).toEqual(where);
    const turned = { ...where, any: [...where.any].map((one) => ({ ...one })) };
    expect(await after.engine.startBatch({ ...command, filter: { where: turned } })).toEqual(batch);
    await expect(
      after.engine.startBatch({ ...command, filter: { where: { any: [] } } }),
    ).rejects.toMatchObject({ code: "BATCH_EXISTS" });
    await after.engine.close();
  });

  test.each<Condition>([
    { all: [] },
    { all: [{ all: [] }] },
    { any: [{ field: "status", op: "eq", value: "failed" }, { all: [] }] },
  ])("refuses %j, which asks for nothing, unless all are meant", async (where) => {
    const under = await openWith(1);
    const command = { action: "suspend", filter: { where } } as const;
    await expect(under.engine.startBatch(command)).rejects.toThrow("set allInstances");
    expect(await run(under, { ...command, allInstances: true })).toMatchObject({ doneCount: 1 });
    await under.engine.close();
  });

  test("suspends, resumes, terminates and purges what the filter lets through", async () => {
    const under = await openWith(150);
    await startMany(under, "b", 20);
    const filter = { tags: { name: "a" } };
    const counts = { matchedCount: 150, doneCount: 150 };
    expect(await run(under, { action: "suspend", filter })).toMatchObject({ ...whole, ...counts });
    await under.engine.idle();
    expect(await countOf(under, "suspended")).toBe(150);
    expect(await run(under, { action: "resume", filter })).toMatchObject({ ...whole, ...counts });
    await under.engine.idle();
    expect(await countOf(under, "running")).toBe(170);
    const end = { action: "terminate", filter, output: '"x"' } as const;
    expect(await run(under, end)).toMatchObject({ ...whole, ...counts });
    await under.engine.idle();
    expect(await countOf(under, "terminated")).toBe(150);
    expect((await under.engine.get("a-7"))?.output).toBe('"x"');
    expect(await run(under, { action: "purge", filter })).toMatchObject({ ...whole, ...counts });
    expect(await countOf(under, "terminated")).toBe(0);
    expect(await countOf(under, "running")).toBe(20);
    expect(await problemsOf(under.faults.behind, under.clock.now())).toEqual([]);
    await under.engine.close();
  });

  test.each<[BatchCommand["action"], number]>([
    ["suspend", 0],
    ["resume", 0],
    ["terminate", 0],
    ["purge", 200],
    ["rerun", 0],
  ])("tells how far a %s is while it is at work", async (action, purgedCount) => {
    const under = await openWith(0);
    const isForEnded = action === "purge" || action === "rerun";
    await startMany(under, "a", 200, isForEnded ? "chain" : "gather");
    const told: Pick<Batch, "doneCount" | "matchedCount" | "failedCount">[] = [];
    under.faults.onWritten = () => {
      void under.engine.getBatch("b").then((batch) => batch && told.push(batch));
    };
    const batch = await run(under, {
      action,
      filter: { tags: { name: "a" } },
      batchId: "b",
      eventId: 1,
    });
    await under.engine.idle();
    expect(batch).toMatchObject({ ...whole, matchedCount: 200, doneCount: 200, purgedCount });
    const between = told.filter(({ doneCount }) => doneCount > 0 && doneCount < 200);
    expect(between.length).toBeGreaterThan(0);
    expect(told.every((one) => one.doneCount + one.failedCount <= one.matchedCount)).toBe(true);
    await under.engine.close();
  });

  test("means the instances of the moment at which it begins", async () => {
    const under = await openWith(3);
    const gate = under.faults.hold("write");
    const starting = under.engine.startBatch({ action: "suspend", filter: { workflow: "gather" } });
    gate.release();
    const { batchId } = await starting;
    await under.engine.waitForBatch(batchId);
    await startMany(under, "later", 2);
    expect(await countOf(under, "suspended")).toBe(3);
    expect(await under.engine.getBatch(batchId)).toMatchObject({ matchedCount: 3, doneCount: 3 });
    await under.engine.close();
  });

  test("is the same batch for the same request, and refused for another one", async () => {
    const under = await openWith(2);
    const command = {
      action: "terminate",
      filter: { instanceIdPrefix: "a" },
      batchId: "once",
    } as const;
    const [one, two] = await Promise.all([
      under.engine.startBatch(command),
      under.engine.startBatch(command),
    ]);
    expect(two).toEqual(one);
    await under.engine.idle();
    expect(await under.engine.startBatch(command)).toMatchObject({ status: "completed" });
    await expect(
      under.engine.startBatch({ ...command, filter: { workflow: "gather" } }),
    ).rejects.toMatchObject({ code: "BATCH_EXISTS", details: { batchId: "once" } });
    await under.engine.close();
  });

  test("counts what fails and tells the first ten", async () => {
    const under = await openWith(30);
    await under.engine.close();
    for (let index = 0; index < 12; index += 1) {
      const key = rowKey(`a-${index}`);
      const row = decodeRow((await under.faults.behind.get(key)) ?? new Uint8Array());
      // A history that is longer than what is there: damage, in a row that can be read.
      row.eventCount = 127;
      await under.faults.behind.write([put(key, encodeRow(row))]);
    }
    const after = await under.reopen();
    after.connect({ flows, tasks });
    const batch = await run(after, { action: "terminate", filter: { workflow: "gather" } });
    expect(batch).toMatchObject({
      status: "completed",
      matchedCount: 30,
      doneCount: 18,
      failedCount: 12,
    });
    expect(batch.errors).toHaveLength(10);
    expect(batch.errors[0]).toMatchObject({ code: "INSTANCE_DAMAGED" });
    await after.engine.close();
  });

  test("runs instances again from an event, each into one new instance", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, tasks });
    for (const instanceId of ["a", "b"]) {
      await under.engine.start({ workflow: "chain", instanceId, input: "x" });
    }
    await under.engine.idle();
    const filter = { workflow: "chain", createdBefore: under.clock.now() + 1 };
    const command = { action: "rerun", filter, batchId: "again", eventId: 1 } as const;
    expect(await run(under, command)).toMatchObject({ ...whole, matchedCount: 2, doneCount: 2 });
    await under.engine.idle();
    const ids = (await under.engine.list()).instances.map(({ instanceId }) => instanceId);
    expect(ids).toEqual(["a", "a:again", "b", "b:again"]);
    expect((await under.engine.get("a:again"))?.output).toBe("x".repeat(8));
    await under.engine.close();
  });

  test("takes a child that went with its parent as done", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, tasks });
    const start = { workflow: "parent", instanceId: "parent", input: "echo child x" };
    await under.engine.start(start);
    await under.engine.idle();
    const batch = await run(under, { action: "purge", filter: {}, allInstances: true });
    expect(batch).toMatchObject({ ...whole, matchedCount: 2, doneCount: 2, purgedCount: 2 });
    expect((await under.engine.list()).instances).toEqual([]);
    await under.engine.close();
  });

  test("counts purged children that the filter does not let through", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, tasks });
    for (const at of [0, 1, 2]) {
      const input = `echo child-${at} x`;
      await under.engine.start({ workflow: "parent", instanceId: `parent-${at}`, input });
    }
    await under.engine.idle();
    const purge = (instanceIdPrefix: string, recursive: boolean) =>
      run(under, { action: "purge", filter: { instanceIdPrefix }, recursive });
    const one = { ...whole, matchedCount: 1, doneCount: 1 };
    expect(await purge("parent-0", false)).toMatchObject({ ...one, purgedCount: 1 });
    expect(await purge("parent-1", true)).toMatchObject({ ...one, purgedCount: 2 });
    const left = (await under.engine.list()).instances.map(({ instanceId }) => instanceId);
    expect(left).toEqual(["child-0", "child-2", "parent-2"]);
    await under.engine.close();
  });

  test.each<[string, BatchCommand]>([
    ["a filter without conditions", { action: "purge", filter: { workflow: "", statuses: [] } }],
    ["statuses that the action is not for", { action: "purge", filter: { statuses: ["running"] } }],
    ["an id that is none", { action: "purge", filter: { workflow: "w" }, batchId: "a\0" }],
    ["a time that is none", { action: "purge", filter: { createdFrom: Number.NaN } }],
  ])("refuses %s", async (_, command) => {
    const under = await EngineUnderTest.open();
    await expect(under.engine.startBatch(command)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(await under.engine.listBatches()).toEqual([]);
    await under.engine.close();
  });

  test("refuses more batches than are allowed at once", async () => {
    const under = await openWith(1);
    const gate = under.faults.hold("range");
    const command = { action: "suspend", filter: { workflow: "gather" } } as const;
    for (let index = 0; index < 16; index += 1) await under.engine.startBatch(command);
    await expect(under.engine.startBatch(command)).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
    });
    gate.release();
    await under.engine.idle();
    expect(await under.engine.startBatch(command)).toMatchObject({ status: "matching" });
    await under.engine.close();
  });
});

describe("a batch that was cut short", () => {
  test("comes to the same end and counts each instance once, whatever write the crash comes before", async () => {
    for (let cut = 1; ; cut += 1) {
      const under = await openWith(130);
      under.faults.failNext(cut, "cut", ["write"]);
      const command = {
        action: "terminate",
        filter: { workflow: "gather" },
        batchId: "b",
      } as const;
      const ended = under.engine.startBatch(command).then(() => under.engine.waitForBatch("b"));
      ended.catch(() => {});
      const isWhole = await Promise.race([
        ended.then(() => under.engine.idle()).then(() => true),
        untilCut(under),
      ]);
      const after = isWhole ? under : await under.crash();
      if (!isWhole) after.connect({ flows, tasks });
      await after.engine.startBatch(command);
      const batch = await after.engine.waitForBatch("b");
      expect(batch).toMatchObject({ ...whole, matchedCount: 130, doneCount: 130 });
      await after.engine.idle();
      expect(await countOf(after, "terminated")).toBe(130);
      expect(await problemsOf(under.faults.behind, under.clock.now())).toEqual([]);
      await after.engine.close();
      if (isWhole) break;
      expect(cut).toBeLessThan(40);
    }
  });

  test("goes on when the store is open again after a failed write", async () => {
    const under = await openWith(130);
    await under.engine.startBatch({
      action: "suspend",
      filter: { workflow: "gather" },
      batchId: "b",
    });
    under.faults.failNext(2, "error", ["write"]);
    const batch = await under.engine.waitForBatch("b");
    expect(under.faults.openCount()).toBe(2);
    expect(batch).toMatchObject({ ...whole, matchedCount: 130, doneCount: 130 });
    await under.engine.idle();
    expect(await countOf(under, "suspended")).toBe(130);
    await under.engine.close();
  });
});

async function untilCut(under: EngineUnderTest): Promise<boolean> {
  while (!under.faults.isCut()) await new Promise((resolve) => setImmediate(resolve));
  return false;
}

describe("cancelBatch()", () => {
  test("ends a batch where it is, and leaves nothing of it to be done", async () => {
    const under = await openWith(200);
    const gate = under.faults.hold("range");
    await under.engine.startBatch({
      action: "terminate",
      filter: { workflow: "gather" },
      batchId: "b",
    });
    const cancelling = under.engine.cancelBatch("b");
    gate.release();
    expect(await cancelling).toMatchObject({ status: "cancelled", doneCount: 0 });
    await under.engine.idle();
    expect(await countOf(under, "terminated")).toBe(0);
    const after = await under.crash();
    await after.engine.idle();
    expect(await after.engine.getBatch("b")).toMatchObject({ status: "cancelled" });
    expect(await countOf(after, "terminated")).toBe(0);
    expect(await after.engine.cancelBatch("b")).toMatchObject({ status: "cancelled" });
    await after.engine.close();
  });

  test("knows no batch that nobody started", async () => {
    const under = await EngineUnderTest.open();
    const unknown = { code: "BATCH_NOT_FOUND" };
    await expect(under.engine.cancelBatch("x")).rejects.toMatchObject(unknown);
    await expect(under.engine.waitForBatch("x")).rejects.toMatchObject(unknown);
    expect(await under.engine.getBatch("x")).toBeUndefined();
    await under.engine.close();
  });
});

describe("waitForBatch()", () => {
  test("ends with CANCELLED when its caller gives up", async () => {
    const under = await openWith(1);
    const gate = under.faults.hold("range");
    await under.engine.startBatch({
      action: "suspend",
      filter: { workflow: "gather" },
      batchId: "b",
    });
    const giveUp = new AbortController();
    const waiting = under.engine.waitForBatch("b", { signal: giveUp.signal });
    giveUp.abort();
    await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
    gate.release();
    await under.engine.close();
  });
});

describe("listBatches()", () => {
  test("has the newest first and a hundred of those that have ended", async () => {
    const under = await openWith(0);
    for (let index = 0; index < 103; index += 1) {
      under.clock.moveTo(under.clock.now() + 1);
      await run(under, { action: "suspend", filter: { workflow: "w" }, batchId: `b-${index}` });
    }
    await under.engine.idle();
    const ids = (await under.engine.listBatches()).map(({ batchId }) => batchId);
    expect(ids).toHaveLength(100);
    expect(ids[0]).toBe("b-102");
    expect(ids).not.toContain("b-2");
    await under.engine.close();
  });

  test("leaves out one whose row is damaged", async () => {
    const under = await openWith(0);
    await run(under, { action: "suspend", filter: { workflow: "w" }, batchId: "good" });
    const value = Buffer.from([0xff, 0xff]);
    await under.faults.behind.write([put(batchKey("bad"), value)]);
    const after = await under.reopen();
    await after.engine.idle();
    expect((await after.engine.listBatches()).map(({ batchId }) => batchId)).toEqual(["good"]);
    await expect(after.engine.getBatch("bad")).rejects.toMatchObject({ code: "INSTANCE_DAMAGED" });
    await after.engine.close();
  });
});
