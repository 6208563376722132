// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { child, complete, detached, fail, failure, schedule } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import type { Workflow } from "./replay.js";

const taken = { code: "INSTANCE_EXISTS" };

/** Starts a child of the workflow and id in its input, and ends without waiting for it. */
// biome-ignore lint/correctness/useYield: it waits for nothing
const leaves: Workflow = function* (context) {
  const [workflow = "", instanceId = "", ...input] = context.input.split(" ");
  context.child(workflow, instanceId, input.join(" "));
  return "left";
};

/** Like `parent`; of a failed child it tells why, and goes on. */
const careful: Workflow = function* (context) {
  const heard: string[] = [];
  for (const ask of context.input.split(",")) {
    const [workflow = "", instanceId = "", input = ""] = ask.split(" ");
    try {
      heard.push(...(yield context.child(workflow, instanceId, input)));
    } catch (error) {
      heard.push(error instanceof Error ? error.message : `${error}`);
    }
  }
  return heard.join(",");
};

const all = { ...flows, leaves, careful };

async function open(): Promise<EngineUnderTest> {
  const under = await EngineUnderTest.open();
  under.connect({ workflows: Object.keys(all), flows: all, tasks });
  return under;
}

describe("the id of an ended instance", () => {
  test("begins with nothing of the run before", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ workflows: ["w"] });
    await under.engine.start({ workflow: "w", instanceId: "a", input: "1", tags: { a: "b" } });
    const end = [complete(0, '"old"')];
    await worker.completeTurn(await worker.turn(), end, { customStatus: '"old"' });
    await under.engine.raiseEvent("a", "late");
    const { executionId } = await under.engine.start({ workflow: "w", instanceId: "a" });
    expect(await under.engine.get("a")).toEqual({
      instanceId: "a",
      executionId,
      workflow: "w",
      status: "pending",
      generation: 2,
      createdAt: 1_000_000,
      updatedAt: 1_000_000,
      tags: {},
      historyLength: 0,
    });
    expect(await worker.turn(2)).toMatchObject({ past: [], executionId });
    await under.engine.close();
  });

  test("may be used again after a failure and after a terminate", async () => {
    const under = await open();
    const worker = under.connect({ workflows: ["w"] });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [fail(0, failure("E", "m"))]);
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    await under.engine.terminate("a");
    await under.engine.waitForCompletion("a");
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "x" });
    expect(await under.engine.waitForCompletion("a")).toMatchObject({ output: "x", generation: 3 });
    await under.engine.close();
  });

  test("is refused while a grandchild goes on below a child that has ended", async () => {
    const { engine } = await open();
    await engine.start({ workflow: "leaves", instanceId: "p", input: "leaves m gather leaf 1" });
    await engine.waitForStart("leaf");
    await engine.idle();
    expect((await engine.get("m"))?.status).toBe("completed");
    await expect(engine.start({ workflow: "echo", instanceId: "p" })).rejects.toMatchObject({
      ...taken,
      message: expect.stringContaining("'leaf'"),
    });
    await engine.raiseEvent("leaf", "go", "x");
    await engine.waitForCompletion("leaf");
    await engine.start({ workflow: "echo", instanceId: "p" });
    await engine.close();
  });

  test("is refused after a terminate that left the children running", async () => {
    const { engine } = await open();
    await engine.start({ workflow: "parent", instanceId: "p", input: "gather c 1" });
    await engine.waitForStart("c");
    await engine.terminate("p", { recursive: false });
    await engine.waitForCompletion("p");
    await expect(engine.start({ workflow: "echo", instanceId: "p" })).rejects.toMatchObject(taken);
    await engine.close();
  });

  test("is not held up by a child that was purged, nor by a detached workflow", async () => {
    const under = await open();
    const worker = under.connect({ workflows: ["w"] });
    const { engine } = under;
    await engine.start({ workflow: "w", instanceId: "p" });
    const asked = [child(0, "gather", "c", "1"), detached(1, "gather", "free", { input: "1" })];
    await worker.completeTurn(await worker.turn(), [...asked, complete(2)]);
    await engine.waitForStart("c");
    await engine.waitForStart("free");
    await expect(engine.start({ workflow: "w", instanceId: "p" })).rejects.toMatchObject(taken);
    await engine.purge("c", { force: true });
    await engine.start({ workflow: "w", instanceId: "p" });
    expect((await engine.get("free"))?.status).toBe("running");
    await engine.close();
  });

  test("drops the result of an activity that the run before left behind", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [schedule(0, "slow"), complete(1)]);
    const late = await worker.activity();
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(2), [schedule(0, "slow")]);
    await worker.completeActivity(late, { output: '"old"' });
    await worker.completeActivity(await worker.activity(2), { output: '"new"' });
    const [, result] = (await worker.turn(3)).events;
    expect(result?.event.eventType.value).toMatchObject({ result: '"new"' });
    await under.engine.close();
  });
});

describe("a child on an occupied id", () => {
  test("fails an unguarded parent, and the occupant goes on", async () => {
    const { engine } = await open();
    await engine.start({ workflow: "gather", instanceId: "c", input: "1" });
    await engine.start({ workflow: "parent", instanceId: "p", input: "echo c x" });
    expect(await engine.waitForCompletion("p")).toMatchObject({
      status: "failed",
      failure: { type: "WorkflowInstanceAlreadyExists" },
    });
    await engine.raiseEvent("c", "go", "well");
    expect((await engine.waitForCompletion("c")).output).toBe("well");
    await engine.close();
  });

  test("fails in a later turn, with the words of a refused start", async () => {
    const under = await open();
    const worker = under.connect({ workflows: ["w"] });
    await under.engine.start({ workflow: "gather", instanceId: "c", input: "1" });
    await under.engine.start({ workflow: "w", instanceId: "p" });
    await worker.completeTurn(await worker.turn(), [child(7, "echo", "c")]);
    const [, result] = (await worker.turn(2)).events;
    expect(result?.event.eventType).toMatchObject({
      case: "childWorkflowInstanceFailed",
      value: {
        taskScheduledId: 7,
        failureDetails: {
          errorType: "WorkflowInstanceAlreadyExists",
          errorMessage: "an active workflow with ID 'c' already exists",
          isNonRetriable: false,
        },
      },
    });
    await under.engine.close();
  });

  test("fails one branch of many", async () => {
    const { engine } = await open();
    await engine.start({ workflow: "gather", instanceId: "c", input: "1" });
    await engine.start({
      workflow: "careful",
      instanceId: "p",
      input: "echo a 1,echo c 2,echo b 3",
    });
    expect((await engine.waitForCompletion("p")).output).toBe("1,WorkflowInstanceAlreadyExists,3");
    await engine.close();
  });

  test("works when it is asked for again after the occupant's end", async () => {
    const again: Workflow = function* (context) {
      try {
        yield context.child("echo", "c", "first");
      } catch {
        yield context.event("retry");
      }
      const [output] = yield context.child("echo", "c", "second");
      return output;
    };
    const under = await EngineUnderTest.open();
    under.connect({ flows: { ...all, again } });
    await under.engine.start({ workflow: "gather", instanceId: "c", input: "1" });
    await under.engine.start({ workflow: "again", instanceId: "p" });
    await under.engine.idle();
    await under.engine.raiseEvent("c", "go", "x");
    await under.engine.waitForCompletion("c");
    await under.engine.raiseEvent("p", "retry");
    expect((await under.engine.waitForCompletion("p")).output).toBe("second");
    await under.engine.close();
  });

  test("fails when the occupant has ended and a child of it goes on", async () => {
    const { engine } = await open();
    await engine.start({ workflow: "leaves", instanceId: "c", input: "gather leaf 1" });
    await engine.waitForStart("leaf");
    await engine.idle();
    await engine.start({ workflow: "careful", instanceId: "p", input: "echo c x" });
    expect((await engine.waitForCompletion("p")).output).toBe("WorkflowInstanceAlreadyExists");
    expect((await engine.get("c"))?.workflow).toBe("leaves");
    await engine.close();
  });

  test("fails when it is its own parent", async () => {
    const { engine } = await open();
    await engine.start({ workflow: "careful", instanceId: "p", input: "echo p x" });
    expect((await engine.waitForCompletion("p")).output).toBe("WorkflowInstanceAlreadyExists");
    await engine.close();
  });
});

test("an id that is new is read once by the start that names it", async () => {
  const under = await EngineUnderTest.open();
  const before = under.faults.callCount("get");

  await under.engine.start({ workflow: "w", instanceId: "new" });

  expect(under.faults.callCount("get") - before).toBe(1);
  await under.engine.close();
});
