// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { encodeMessage } from "../src/store/codec.js";
import { outboxKey, rowKey } from "../src/store/key.js";
import { put } from "../src/store/store.js";
import { child } from "./actions.js";
import { flows } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import type { Workflow } from "./replay.js";

describe("a recursive purge by force", () => {
  test("counts all that an order took, at any depth, and leaves no order behind", async () => {
    const under = await EngineUnderTest.open();
    const deep: Workflow = function* (context) {
      yield [context.child("parent", "c1", "gather g1"), context.child("gather", "c2", "1")];
      return "never";
    };
    under.connect({ flows: { ...flows, deep } });
    await under.engine.start({ workflow: "deep", instanceId: "d" });
    for (const id of ["g1", "c2"]) await under.engine.waitForStart(id);
    await under.engine.idle();
    expect(await under.engine.purge("d", { force: true })).toBe(4);
    expect(await under.left()).toBe(0);
    await under.engine.close();
  });

  test("takes a child by force that is asked for while it is under way", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "p" });
    const turn = await worker.turn();
    const gate = under.faults.hold("write");
    // The child's start waits for the disk when its parent is purged.
    const asked = worker.completeTurn(turn, [child(0, "w", "c")]);
    while (gate.waiting() === 0) await nextTick();
    const purged = under.engine.purge("p", { force: true });
    for (let count = 0; count < 5; count += 1) await nextTick();
    gate.release();
    await asked;
    expect(await purged).toBe(2);
    expect(await under.left()).toBe(0);
    await under.engine.close();
  });

  test("lets its ids be used again at once, those of its children too", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "p" });
    await worker.completeTurn(await worker.turn(), [child(0, "w", "c")]);
    expect((await worker.turn(2)).instanceId).toBe("c");
    const before = await under.engine.get("c");
    const gate = under.faults.hold("write");
    const busy = under.engine.start({ workflow: "other", instanceId: "b" });
    while (gate.waiting() === 0) await nextTick();
    // The purge, the start and the start of the child go into one commit, behind the one that is held.
    const purged = under.engine.purge("p", { force: true });
    for (let count = 0; count < 5; count += 1) await nextTick();
    const started = under.engine.start({ workflow: "w", instanceId: "p" });
    const done = worker.completeTurn(await worker.turn(4), [child(0, "w", "c")]);
    gate.release();
    await Promise.all([busy, purged, started, done]);
    expect(await purged).toBe(2);
    expect((await worker.turn(5)).instanceId).toBe("c");
    const after = await under.engine.get("c");
    expect(after).toMatchObject({ generation: 1, parentInstanceId: "p" });
    expect(after?.executionId).not.toBe(before?.executionId);
    await under.engine.close();
  });

  test("is finished after a crash, and spares who has a child's id by then", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "parent", instanceId: "p", input: "parent c" });
    await under.engine.waitForStart("c");
    await under.engine.idle();
    // The order lies on disk and is not carried out.
    under.faults.onWritten = () => under.faults.cut();
    void under.engine.purge("p", { force: true });
    while (!under.faults.isCut()) await nextTick();
    under.faults.onWritten = () => {};
    const row = await under.faults.behind.get(rowKey("c"));
    expect(row).toBeDefined();
    const after = await under.crash();
    expect(await after.ids()).toEqual([]);
    expect(await under.left()).toBe(0);
    await expect(after.engine.purge("p")).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
    await after.engine.close();
    // Once more, with somebody else on the child's id.
    const order = { targetId: "c", parentExecutionId: "another" };
    const again = await under.reopen();
    await again.engine.start({ workflow: "w", instanceId: "c" });
    await again.engine.close();
    await under.faults.behind.write([put(outboxKey("p", 1), encodeMessage(order))]);
    const last = await under.reopen();
    expect(await last.ids()).toEqual(["c"]);
    expect(await last.engine.purge("c", { force: true })).toBe(1);
    expect(await under.left()).toBe(0);
    await last.engine.close();
  });
});
