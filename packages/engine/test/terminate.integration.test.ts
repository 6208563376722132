// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { child, complete, schedule, unknownAction, versionNotAvailable } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import type { Workflow } from "./replay.js";
import { kinds } from "./scripted-worker.js";

const terminated = { status: "terminated", output: '"bye"' };
const bye = { output: '"bye"' };

describe("terminate()", () => {
  test("ends a running instance through its worker", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    await under.engine.idle();
    await under.engine.terminate("a", bye);
    expect(await under.engine.waitForCompletion("a")).toMatchObject(terminated);
    expect(kinds(await under.engine.history("a")).slice(-3)).toEqual([
      "workflowStarted",
      "executionTerminated",
      "executionCompleted",
    ]);
    await under.engine.close();
  });

  test("ends a pending instance that no worker can run", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    await under.engine.terminate("a", bye);
    expect(await under.engine.waitForCompletion("a")).toMatchObject(terminated);
    await under.engine.close();
  });

  test("ends an instance that waits for a worker with its name", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ workflows: ["other"] });
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    await under.engine.terminate("a", bye);
    expect(await under.engine.waitForCompletion("a")).toMatchObject(terminated);
    await under.engine.close();
  });

  test("ends an instance when its last worker leaves with the terminate undone", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    await worker.turn();
    await under.engine.terminate("a", bye);
    worker.close();
    expect(await under.engine.waitForCompletion("a")).toMatchObject(terminated);
    await under.engine.close();
  });

  test("ends an instance whose workers are all at their limit, once they are gone", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ turnLimit: 1 });
    await under.engine.start({ workflow: "w", instanceId: "other" });
    await worker.turn();
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await under.engine.terminate("a", bye);
    worker.close();
    expect(await under.engine.waitForCompletion("a")).toMatchObject(terminated);
    await under.engine.close();
  });

  test("ends a suspended instance", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    await under.engine.suspend("a");
    await under.engine.idle();
    await under.engine.terminate("a", bye);
    expect(await under.engine.waitForCompletion("a")).toMatchObject(terminated);
    await under.engine.close();
  });

  test("ends an instance before its delayed start, without its code", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows });
    const startAt = 1_005_000;
    await under.engine.start({ workflow: "echo", instanceId: "a", startAt });
    await under.engine.terminate("a", bye);
    expect(await under.engine.waitForCompletion("a")).toMatchObject(terminated);
    under.clock.moveTo(startAt);
    await under.engine.idle();
    expect(worker.items).toEqual([]);
    expect(await under.engine.nextTimerAt()).toBeUndefined();
    await under.engine.close();
  });

  test("ends a stalled instance", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [versionNotAvailable(0)]);
    expect((await under.engine.get("a"))?.status).toBe("stalled");
    await under.engine.terminate("a", bye);
    expect(await under.engine.waitForCompletion("a")).toMatchObject(terminated);
    await under.engine.close();
  });

  test("ends an instance that stalls while the terminate waits", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const turn = await worker.turn();
    await under.engine.terminate("a", bye);
    await worker.completeTurn(turn, [versionNotAvailable(0)]);
    expect(await under.engine.waitForCompletion("a")).toMatchObject(terminated);
    await under.engine.close();
  });

  test.each(["before", "after"])(
    "ends an instance whose worker's answers cannot be carried out, %s the first",
    async (when) => {
      const under = await EngineUnderTest.open();
      const worker = under.connect({ activities: [] });
      await under.engine.start({ workflow: "w", instanceId: "a" });
      await worker.completeTurn(await worker.turn(), [schedule(0, "charge")]);
      await under.engine.raiseEvent("a", "go");
      const turn = await worker.turn(2);
      if (when === "before") await under.engine.terminate("a", bye);
      await worker.completeTurn(turn, [schedule(0, "charge")]);
      if (when === "after") await under.engine.terminate("a", bye);
      expect(await under.engine.waitForCompletion("a")).toMatchObject(terminated);
      under.clock.advance(60_000);
      await under.engine.idle();
      expect(worker.turns).toHaveLength(2);
      await under.engine.close();
    },
  );

  test("ends an instance whose worker asks for what cannot be done in the same turn", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const first = await worker.turn();
    await under.engine.terminate("a", bye);
    await worker.completeTurn(first, []);
    await worker.completeTurn(await worker.turn(2), [unknownAction(0)]);
    expect(await under.engine.waitForCompletion("a")).toMatchObject(terminated);
    await under.engine.close();
  });

  test("drops timers, and results that come late", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows: { ...flows, patient }, tasks });
    worker.isHolding = true;
    await under.engine.start({ workflow: "patient", instanceId: "a" });
    worker.answer(await worker.turn());
    await worker.activity();
    await under.engine.terminate("a", bye);
    worker.answer(await worker.turn(2));
    const ended = await under.engine.waitForCompletion("a");
    expect(await under.engine.nextTimerAt()).toBeUndefined();
    worker.letGo();
    await under.engine.idle();
    expect(worker.refusals).toEqual([]);
    expect(await under.engine.get("a")).toEqual(ended);
    await under.engine.close();
  });

  test("does not hand out activities that were still waiting", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ activities: [] });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [schedule(0, "double")]);
    worker.close();
    await under.engine.terminate("a");
    await under.engine.waitForCompletion("a");
    const late = under.connect({ tasks });
    await under.engine.idle();
    expect(late.items).toEqual([]);
    const after = await under.crash();
    const later = after.connect({ tasks });
    await after.engine.idle();
    expect(later.items).toEqual([]);
    await after.engine.close();
  });

  test("changes nothing about an ended instance", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "x" });
    const ended = await under.engine.waitForCompletion("a");
    await under.engine.terminate("a", bye);
    expect(await under.engine.get("a")).toEqual(ended);
    await under.engine.close();
  });

  test("of an id that nobody has is refused", async () => {
    const under = await EngineUnderTest.open();
    const refusal = { code: "INSTANCE_NOT_FOUND" };
    await expect(under.engine.terminate("nobody")).rejects.toMatchObject(refusal);
    await expect(under.engine.suspend("nobody")).rejects.toMatchObject(refusal);
    await expect(under.engine.resume("nobody")).rejects.toMatchObject(refusal);
    await under.engine.close();
  });

  test("leaves the id free for another workflow, which its own workers run", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "old", instanceId: "a" });
    await under.engine.terminate("a");
    await under.engine.waitForCompletion("a");
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "x" });
    const wrong = under.connect({ workflows: ["old"] });
    const right = under.connect({ workflows: ["echo"], flows });
    expect((await under.engine.waitForCompletion("a")).output).toBe("x");
    expect(wrong.items).toEqual([]);
    expect(right.turns).toHaveLength(1);
    await under.engine.close();
  });
});

/** Waits for an activity and a timer. */
const patient: Workflow = function* (context) {
  yield [context.activity("double", "x"), context.timer(2_000_000)];
  return "never";
};

/** Starts a child that starts a child; the middle one ends at once when its input says so. */
const top: Workflow = function* (context) {
  yield context.child("middle", "m", context.input);
  yield context.event("never");
  return "";
};
const middle: Workflow = function* (context) {
  context.child("gather", "leaf", "1");
  if (context.input === "ends") return "done";
  yield context.event("never");
  return "";
};

describe("a recursive terminate", () => {
  async function openTree(input: string): Promise<EngineUnderTest> {
    const under = await EngineUnderTest.open();
    under.connect({ flows: { ...flows, top, middle } });
    await under.engine.start({ workflow: "top", instanceId: "t", input });
    await under.engine.waitForStart("leaf");
    await under.engine.idle();
    return under;
  }

  test("reaches children and grandchildren", async () => {
    const { engine } = await openTree("stays");
    await engine.terminate("t", bye);
    for (const id of ["t", "m", "leaf"]) {
      expect(await engine.waitForCompletion(id)).toMatchObject(terminated);
    }
    await engine.close();
  });

  test("goes through a child that has completed", async () => {
    const { engine } = await openTree("ends");
    expect((await engine.get("m"))?.status).toBe("completed");
    await engine.terminate("t", bye);
    expect(await engine.waitForCompletion("leaf")).toMatchObject(terminated);
    expect((await engine.get("m"))?.status).toBe("completed");
    await engine.close();
  });

  test("goes on from an ended instance", async () => {
    const { engine } = await openTree("ends");
    await engine.terminate("m", bye);
    expect(await engine.waitForCompletion("leaf")).toMatchObject(terminated);
    await engine.close();
  });

  test("stops at the instance when it is not recursive", async () => {
    const { engine } = await openTree("stays");
    await engine.terminate("t", { recursive: false });
    await engine.waitForCompletion("t");
    await engine.idle();
    expect((await engine.get("m"))?.status).toBe("running");
    await engine.close();
  });

  test("reaches all of them without any worker", async () => {
    const tree = await openTree("stays");
    const after = await tree.crash();
    await after.engine.terminate("t", bye);
    for (const id of ["t", "m", "leaf"]) {
      expect(await after.engine.waitForCompletion(id)).toMatchObject(terminated);
    }
    await after.engine.close();
  });

  test("spares who has the id of a child that was refused", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ workflows: ["gather", "echo"], flows });
    await under.engine.start({ workflow: "gather", instanceId: "taken", input: "1" });
    const worker = under.connect({ workflows: ["w"] });
    await under.engine.start({ workflow: "w", instanceId: "p" });
    await worker.completeTurn(await worker.turn(), [child(0, "echo", "taken"), complete(1)]);
    await under.engine.terminate("p", bye);
    await under.engine.idle();
    expect((await under.engine.get("taken"))?.status).toBe("running");
    expect(await under.engine.purge("p")).toBe(1);
    expect((await under.engine.get("taken"))?.status).toBe("running");
    await under.engine.start({ workflow: "echo", instanceId: "p" });
    await under.engine.close();
  });

  test.each([
    ["itself", "a", "a"],
    ["its parent", "b", "a"],
  ])("comes to an end when an instance took %s for its child", async (_, childId, grandchildId) => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [child(0, "w", childId)]);
    await worker.completeTurn(await worker.turn(2), [child(1, "w", grandchildId)]);
    await worker.turn(3);
    await under.engine.terminate("a", bye);
    worker.close();
    await under.engine.idle();
    const { instances } = await under.engine.list();
    expect(instances.every(({ status }) => status === "terminated")).toBe(true);
    expect(await under.engine.purge("a")).toBe(instances.length);
    await under.engine.close();
  });

  test("goes on after a crash between parent and child", async () => {
    const tree = await openTree("stays");
    // The parent's end is on disk, the message to the child is not delivered.
    tree.faults.failNext(3, "cut", ["write"]);
    void tree.engine.terminate("t", bye);
    await tree.engine.waitForCompletion("t");
    const after = await tree.crash();
    for (const id of ["m", "leaf"]) {
      expect(await after.engine.waitForCompletion(id)).toMatchObject(terminated);
    }
    await after.engine.close();
  });
});
