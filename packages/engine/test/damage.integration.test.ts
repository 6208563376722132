// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { encodeLostRow } from "../src/store/codec.js";
import {
  chunkKey,
  inboxKey,
  instanceRange,
  kindRange,
  liveKey,
  partitions,
  rowKey,
} from "../src/store/key.js";
import { del, mark, put, type Store } from "../src/store/store.js";
import { problemsOf } from "../src/testing/check-store.js";
import { detached, timer } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import type { Workflow } from "./replay.js";

const damaged = { code: "INSTANCE_DAMAGED" };

/** Changes one byte of a value, counted from its end. */
async function flip(store: Store, key: Uint8Array, fromEnd = 3): Promise<void> {
  const value = Uint8Array.from((await store.get(key)) ?? []);
  const at = value.length - fromEnd;
  value[at] = (value[at] ?? 0) ^ 0x40;
  await store.write([put(key, value)]);
}

const remove = (store: Store, key: Uint8Array): Promise<void> => store.write([del(key)]);

/**
 * A store, closed, with "bad" and "good": each has three chunks, an open activity and an event that
 * no turn has taken.
 */
async function filled(): Promise<EngineUnderTest> {
  const under = await EngineUnderTest.open();
  const worker = under.connect({ activities: ["double"], tasks });
  let turns = 0;
  for (const instanceId of ["bad", "good"]) {
    await under.engine.start({ workflow: "chain", instanceId, input: "xy" });
    worker.isHolding = true;
    for (let round = 0; round < 2; round += 1) {
      turns += 1;
      const turn = await worker.turn(turns);
      await worker.completeTurn(turn, [timer(round + 10, 9_000_000 + round)]);
      await under.engine.raiseEvent(instanceId, "go", "abc");
    }
    turns += 1;
    await worker.turn(turns);
  }
  await under.engine.close();
  return under;
}

/** Expects that "bad" is refused everywhere and "good" finishes. */
async function expectParked(under: EngineUnderTest, script: object = {}): Promise<void> {
  const after = await under.reopen();
  const { engine } = after;
  after.connect({ flows, tasks, ...script });
  expect((await engine.waitForCompletion("good")).output).toBe("xy".repeat(8));
  await expect(engine.raiseEvent("bad", "go")).rejects.toMatchObject(damaged);
  await expect(engine.terminate("bad")).rejects.toMatchObject(damaged);
  await expect(engine.start({ workflow: "echo", instanceId: "bad" })).rejects.toMatchObject(
    damaged,
  );
  await expect(engine.purge("bad")).rejects.toMatchObject(damaged);
  expect(after.log).toContainEqual({
    level: "error",
    facts: { instanceId: "bad", reason: expect.stringContaining("damaged") },
    message: "an instance is damaged and was parked",
  });
  await engine.start({ workflow: "echo", instanceId: "new", input: "x" });
  expect((await engine.waitForCompletion("new")).output).toBe("x");
  const { instances } = await engine.list();
  expect(instances.map(({ instanceId }) => instanceId).sort()).toContain("good");
  expect(await engine.purge("bad", { force: true })).toBe(1);
  expect(await problemsOf(under.faults.behind, under.clock.now())).toEqual([]);
  await engine.close();
}

/** Leaves a child behind that goes on. */
// biome-ignore lint/correctness/useYield: it waits for nothing
const leaves: Workflow = function* (context) {
  context.child("gather", "below", "1");
  return "left";
};

/** Starts the child that its input names, and says how it failed. */
const careful: Workflow = function* (context) {
  try {
    yield context.child("echo", context.input, "x");
  } catch (error) {
    return error instanceof Error ? error.message : `${error}`;
  }
  return "well";
};

describe("a child that cannot start for damage fails its parent's task, as one on a taken id", () => {
  test.each([
    ["on the id of a damaged instance", "above"],
    ["on that of one with a damaged child", "below"],
  ])("%s, and nothing hangs", async (_, broken) => {
    const under = await EngineUnderTest.open();
    under.connect({ flows: { ...flows, leaves } });
    await under.engine.start({ workflow: "leaves", instanceId: "above" });
    await under.engine.waitForStart("below");
    await under.engine.close();
    await flip(under.faults.behind, chunkKey(broken, 1, 0));
    const after = await under.reopen();
    after.connect({ flows: { ...flows, careful } });

    await after.engine.start({ workflow: "careful", instanceId: "p", input: "above" });

    expect((await after.engine.waitForCompletion("p")).output).toBe(
      "WorkflowInstanceAlreadyExists",
    );
    await after.engine.idle();
    await after.engine.purge(broken, { force: true });
    expect(await problemsOf(after.faults.behind, after.clock.now())).toEqual([]);
    await after.engine.close();
  });
});

describe("a damaged instance is parked, and the others are served", () => {
  test.each([0, 1])("a byte of chunk %i has changed", async (chunk) => {
    const under = await filled();
    await flip(under.faults.behind, chunkKey("bad", 1, chunk));
    await expectParked(under);
  });

  test("a byte in the header of a chunk has changed", async () => {
    const under = await filled();
    const key = chunkKey("bad", 1, 1);
    const length = (await under.faults.behind.get(key))?.length ?? 0;
    await flip(under.faults.behind, key, length);
    await expectParked(under);
  });

  test.each([0, 1])("chunk %i is missing", async (chunk) => {
    const under = await filled();
    await remove(under.faults.behind, chunkKey("bad", 1, chunk));
    await expectParked(under);
  });

  test("a chunk is cut short", async () => {
    const under = await filled();
    const key = chunkKey("bad", 1, 1);
    await under.faults.behind.write([put(key, Uint8Array.of(1, 2, 3))]);
    await expectParked(under);
  });

  test("there is a chunk too many", async () => {
    const under = await filled();
    const value = (await under.faults.behind.get(chunkKey("bad", 1, 1))) ?? new Uint8Array();
    await under.faults.behind.write([put(chunkKey("bad", 1, 2), value)]);
    await expectParked(under);
  });

  test("an inbox event is missing", async () => {
    const under = await filled();
    const [first] = await under.faults.behind.range(instanceRange("inbox", "bad"));
    if (first === undefined) throw new Error("the inbox is empty");
    await remove(under.faults.behind, first[0]);
    await expectParked(under);
  });

  test("a byte of an inbox event has changed", async () => {
    const under = await filled();
    const [first] = await under.faults.behind.range(instanceRange("inbox", "bad"));
    if (first === undefined) throw new Error("the inbox is empty");
    await flip(under.faults.behind, first[0]);
    await expectParked(under);
  });

  test("a byte of its row has changed", async () => {
    const under = await filled();
    await flip(under.faults.behind, rowKey("bad"));
    await expectParked(under);
  });

  test("an inbox event is another one's", async () => {
    const under = await filled();
    const [first] = await under.faults.behind.range(instanceRange("inbox", "bad"));
    if (first === undefined) throw new Error("the inbox is empty");
    const number = Buffer.from(first[0]).readUInt32BE(first[0].length - 4);
    await under.faults.behind.write([del(first[0]), put(inboxKey("bad", number + 7), first[1])]);
    await expectParked(under);
  });

  test("an inbox event cannot be decoded", async () => {
    const under = await filled();
    const [first] = await under.faults.behind.range(instanceRange("inbox", "bad"));
    if (first === undefined) throw new Error("the inbox is empty");
    const value = Uint8Array.of(0xff, 0xff, 0xff);
    await under.faults.behind.write([put(first[0], value)]);
    await expectParked(under);
  });

  test("its row cannot be decoded", async () => {
    const under = await filled();
    const value = Uint8Array.of(0xff, 0xff);
    await under.faults.behind.write([put(rowKey("bad"), value)]);
    const after = await under.reopen();
    after.connect({ flows, tasks });
    expect((await after.engine.waitForCompletion("good")).status).toBe("completed");
    await expect(after.engine.get("bad")).rejects.toMatchObject(damaged);
    expect(after.log.some(({ facts }) => facts.instanceId === "bad")).toBe(true);
    const { instances } = await after.engine.list();
    expect(instances.map(({ instanceId }) => instanceId)).toEqual(["good"]);
    await after.engine.close();
  });

  test("a mark names an instance that is not there", async () => {
    const under = await filled();
    const key = liveKey("ghost");
    await under.faults.behind.write([mark(key)]);
    const after = await under.reopen();
    after.connect({ flows, tasks });
    expect((await after.engine.waitForCompletion("good")).status).toBe("completed");
    expect(await after.engine.get("ghost")).toBeUndefined();
    await after.engine.close();
  });

  test("a message on its way cannot be decoded", async () => {
    const under = await filled();
    for (const partition of partitions) {
      const { gte } = kindRange("outbox", partition);
      const key = Buffer.concat([gte, Buffer.from("bad\u0000"), Buffer.from([0, 0, 0, 9])]);
      await under.faults.behind.write([put(key, Uint8Array.of(0xff, 0xff))]);
    }
    const after = await under.reopen();
    after.connect({ flows, tasks });
    expect((await after.engine.waitForCompletion("good")).status).toBe("completed");
    expect(after.log.some(({ level }) => level === "error")).toBe(true);
    await after.engine.close();
  });
});

/** An engine that has begun anew with "p", whose child "c" of this workflow is damaged now. */
async function withDamagedChild(
  workflow: string,
  damage: (store: Store) => Promise<void> = (store) => flip(store, chunkKey("c", 1, 0)),
): Promise<EngineUnderTest> {
  const under = await EngineUnderTest.open();
  under.connect({ workflows: Object.keys(flows), flows });
  await under.engine.start({ workflow: "parent", instanceId: "p", input: `${workflow} c 1` });
  await under.engine.idle();
  await damage(under.faults.behind);
  const after = await under.crash();
  after.connect({ flows });
  return after;
}

describe("a forced purge of a tree with a damaged child", () => {
  test.each([
    ["ended", "echo"],
    ["running", "gather"],
  ])("takes all of it, when the child was %s", async (_, workflow) => {
    const after = await withDamagedChild(workflow);
    await expect(after.engine.purge("p")).rejects.toHaveProperty("code");
    expect(await after.engine.purge("p", { force: true })).toBe(2);
    expect((await after.engine.list()).instances).toEqual([]);
    expect(await problemsOf(after.faults.behind, after.clock.now())).toEqual([]);
    await after.engine.close();
  });
});

describe("a forced purge of a damaged child alone fails its parent's task", () => {
  const lostRow = put(rowKey("c"), encodeLostRow("its row was in a lost block"));
  test.each<[string, string, (store: Store) => Promise<void>]>([
    ["its history", "gather", (store) => flip(store, chunkKey("c", 1, 0))],
    ["its row", "gather", (store) => flip(store, rowKey("c"))],
    ["its row, before its first turn", "unknown", (store) => flip(store, rowKey("c"))],
    ["its row, which was lost", "gather", (store) => store.write([lostRow])],
  ])("where the damage is in %s", async (_, workflow, damage) => {
    const after = await withDamagedChild(workflow, damage);
    expect(await after.engine.purge("c", { force: true })).toBe(1);
    const failed = {
      status: "failed",
      failure: { message: "the workflow failed: WorkflowPurged" },
    };
    expect(await after.engine.waitForCompletion("p")).toMatchObject(failed);
    expect(await problemsOf(after.faults.behind, after.clock.now())).toEqual([]);
    await after.engine.close();
  });

  test("and nobody else's, whose child's history lies among its own", async () => {
    const after = await withDamagedChild("gather", (store) => flip(store, rowKey("c")));
    await after.engine.start({ workflow: "parent", instanceId: "q", input: "gather d 1" });
    await after.engine.waitForStart("d");
    await after.engine.idle();
    const { behind } = after.faults;
    const misplaced = await behind.get(chunkKey("d", 1, 0));
    await behind.write([put(chunkKey("c", 1, 1), misplaced ?? new Uint8Array())]);
    expect(await after.engine.purge("c", { force: true })).toBe(1);
    expect((await after.engine.waitForCompletion("p")).status).toBe("failed");
    await after.engine.idle();
    expect((await after.engine.get("q"))?.status).toBe("running");
    await after.engine.close();
  });
});

describe("a damaged instance that has ended", () => {
  async function openEnded(): Promise<EngineUnderTest> {
    const under = await EngineUnderTest.open();
    under.connect({ workflows: Object.keys(flows), flows, tasks });
    for (const instanceId of ["bad", "good"]) {
      await under.engine.start({ workflow: "chain", instanceId, input: "xy" });
      await under.engine.waitForCompletion(instanceId);
    }
    return under;
  }

  test.each([
    ["the first chunk is missing", 0, remove],
    ["the last chunk is missing", 3, remove],
    ["a byte of the first chunk has changed", 0, flip],
    ["a byte of the last chunk has changed", 3, flip],
  ])("is not shown as whole when %s", async (_, chunk, damage) => {
    const under = await openEnded();
    await damage(under.faults.behind, chunkKey("bad", 1, chunk));
    await expect(under.engine.get("bad")).rejects.toMatchObject(damaged);
    await expect(under.engine.history("bad")).rejects.toMatchObject(damaged);
    await expect(under.engine.waitForCompletion("bad")).rejects.toMatchObject(damaged);
    // What its row says is still true.
    expect(await under.engine.get("bad", { payloads: false })).toMatchObject({
      status: "completed",
    });
    const { instances } = await under.engine.list();
    expect(instances.find(({ instanceId }) => instanceId === "bad")).not.toHaveProperty("output");
    expect(instances.find(({ instanceId }) => instanceId === "good")?.output).toBe("xy".repeat(8));
    expect(under.log.at(-1)).toMatchObject({ level: "error", facts: { instanceId: "bad" } });
    await under.engine.close();
  });

  test("keeps a message for it on its way, and the sender goes on", async () => {
    const under = await openEnded();
    const worker = under.connect({ workflows: ["w"] });
    await remove(under.faults.behind, chunkKey("bad", 1, 0));
    await under.engine.start({ workflow: "w", instanceId: "p" });
    await worker.completeTurn(await worker.turn(), [detached(0, "echo", "bad")]);
    await under.engine.idle();
    expect((await under.engine.get("p"))?.status).toBe("running");
    expect(under.log.at(-1)).toMatchObject({
      level: "error",
      facts: { code: "INSTANCE_DAMAGED", instanceId: "bad" },
    });
    await under.engine.terminate("p", { recursive: false });
    await worker.completeTurn(await worker.turn(2), []);
    expect((await under.engine.get("p"))?.status).toBe("terminated");
    await under.engine.close();
  });
});
