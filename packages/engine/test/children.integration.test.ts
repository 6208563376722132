// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { child, complete, continueWith } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import type { Workflow } from "./replay.js";

/** Like `parent`, but it tells why the child failed. */
const careful: Workflow = function* (context) {
  const [workflow = "", instanceId = "", input = ""] = context.input.split(" ");
  try {
    yield context.child(workflow, instanceId, input);
  } catch (error) {
    return `child failed: ${error instanceof Error ? error.message : error}`;
  }
  return "child is well";
};

const failing: Workflow = function* (context) {
  yield context.activity("refuse");
  return "never";
};

const all = { ...flows, careful, failing };

async function open(): Promise<EngineUnderTest> {
  const under = await EngineUnderTest.open();
  under.connect({ flows: all, tasks });
  return under;
}

describe("a child workflow", () => {
  test("gives its result to the parent", async () => {
    const { engine } = await open();
    await engine.start({ workflow: "parent", instanceId: "p", input: "echo c hello" });
    expect((await engine.waitForCompletion("p")).output).toBe("child said hello");
    expect(await engine.get("c")).toMatchObject({
      status: "completed",
      parentInstanceId: "p",
      input: "hello",
    });
    await engine.close();
  });

  test("has an id of the parent's and the action's when none is given", async () => {
    const { engine } = await open();
    const two: Workflow = function* (context) {
      yield [context.child("echo"), context.child("echo")];
      return "both";
    };
    const under = await EngineUnderTest.open();
    under.connect({ flows: { ...flows, two } });
    await under.engine.start({ workflow: "two", instanceId: "p" });
    await under.engine.waitForCompletion("p");
    const { instances } = await under.engine.list();
    expect(instances.map(({ instanceId }) => instanceId).sort()).toEqual(["p", "p:0000", "p:0001"]);
    await under.engine.close();
    await engine.close();
  });

  test("gives its failure to the parent", async () => {
    const { engine } = await open();
    await engine.start({ workflow: "careful", instanceId: "p", input: "failing c" });
    expect((await engine.waitForCompletion("p")).output).toBe("child failed: Refused");
    await engine.close();
  });

  test("that is terminated is a failure to the parent", async () => {
    const { engine } = await open();
    await engine.start({ workflow: "careful", instanceId: "p", input: "gather c 1" });
    await engine.waitForStart("c");
    await engine.terminate("c", { output: '"enough"' });
    expect((await engine.waitForCompletion("p")).output).toBe("child failed: WorkflowTerminated");
    await engine.close();
  });

  test("that is purged by itself before its end is a failure to the parent, over a crash too", async () => {
    const under = await open();
    const { engine } = under;
    for (const name of ["p", "q"]) {
      await engine.start({ workflow: "careful", instanceId: name, input: `gather of-${name} 1` });
      await engine.waitForStart(`of-${name}`);
    }
    await engine.idle();
    expect(await engine.purge("of-p", { force: true })).toBe(1);
    expect((await engine.waitForCompletion("p")).output).toBe("child failed: WorkflowPurged");
    // The notice is on disk, and nothing after it.
    under.faults.failNext(2, "cut", ["write"]);
    await engine.purge("of-q", { force: true });
    const after = await under.crash();
    after.connect({ flows: all });
    expect(await after.engine.get("of-q")).toBeUndefined();
    expect((await after.engine.waitForCompletion("q")).output).toBe("child failed: WorkflowPurged");
    await after.engine.idle();
    expect(await after.ids()).toEqual(["p", "q"]);
    await after.engine.close();
  });

  test("on an id that is taken fails the parent's task, and leaves the occupant alone", async () => {
    const { engine } = await open();
    await engine.start({ workflow: "gather", instanceId: "c", input: "1" });
    await engine.start({ workflow: "careful", instanceId: "p", input: "echo c" });
    expect((await engine.waitForCompletion("p")).output).toBe(
      "child failed: WorkflowInstanceAlreadyExists",
    );
    expect(await engine.get("c")).toMatchObject({ workflow: "gather", status: "running" });
    await engine.close();
  });

  test("may take an id that has ended", async () => {
    const { engine } = await open();
    await engine.start({ workflow: "echo", instanceId: "c", input: "old" });
    await engine.waitForCompletion("c");
    await engine.start({ workflow: "parent", instanceId: "p", input: "echo c new" });
    expect((await engine.waitForCompletion("p")).output).toBe("child said new");
    expect(await engine.get("c")).toMatchObject({ generation: 2, input: "new" });
    await engine.close();
  });

  test("may be asked for again under the same id after it ended", async () => {
    const under = await EngineUnderTest.open();
    const again: Workflow = function* (context) {
      const [first] = yield context.child("echo", "c", "1");
      const [second] = yield context.child("echo", "c", "2");
      return `${first} ${second}`;
    };
    under.connect({ flows: { ...flows, again } });
    await under.engine.start({ workflow: "again", instanceId: "p" });
    expect((await under.engine.waitForCompletion("p")).output).toBe("1 2");
    expect((await under.engine.get("c"))?.generation).toBe(2);
    await under.engine.close();
  });

  test("of an earlier execution does not resolve a task of the next", async () => {
    const under = await EngineUnderTest.open();
    const restless: Workflow = function* (context) {
      if (context.input === "") {
        context.child("gather", "c1", "1");
        yield context.event("go");
        return context.continueAsNew("again");
      }
      const [output] = yield context.child("gather", "c2", "1");
      return `heard ${output}`;
    };
    under.connect({ flows: { ...flows, restless } });
    await under.engine.start({ workflow: "restless", instanceId: "p", input: "" });
    await under.engine.raiseEvent("p", "go");
    await under.engine.waitForStart("c2");
    await under.engine.raiseEvent("c1", "go", "straggler");
    expect((await under.engine.waitForCompletion("c1")).output).toBe("straggler");
    await under.engine.idle();
    expect((await under.engine.get("p"))?.status).toBe("running");
    await under.engine.raiseEvent("c2", "go", "right");
    expect((await under.engine.waitForCompletion("p")).output).toBe("heard right");
    await under.engine.close();
  });

  test("of an earlier execution keeps its id: the next one that asks for it is told so", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ workflows: ["w"] });
    under.connect({ workflows: ["gather"], flows });
    await under.engine.start({ workflow: "w", instanceId: "p" });
    await worker.completeTurn(await worker.turn(), [child(0, "gather", "", "1")]);
    await under.engine.waitForStart("p:0000");
    const { executionId } = (await under.engine.get("p:0000")) ?? {};
    await under.engine.raiseEvent("p", "go");
    await worker.completeTurn(await worker.turn(2), [continueWith(1)]);
    await worker.completeTurn(await worker.turn(3), [child(0, "gather", "", "1")]);
    const [, result] = (await worker.turn(4)).events;
    expect(result?.event.eventType).toMatchObject({
      case: "childWorkflowInstanceFailed",
      value: { taskScheduledId: 0, failureDetails: { errorType: "WorkflowInstanceAlreadyExists" } },
    });
    await worker.completeTurn(worker.lastTurn(), []);
    await under.engine.raiseEvent("p:0000", "go", "late");
    expect(await under.engine.waitForCompletion("p:0000")).toMatchObject({ executionId });
    await under.engine.idle();
    expect(worker.turns).toHaveLength(4);
    await under.engine.close();
  });

  test("tells the parent once, after it has continued as new itself", async () => {
    const under = await EngineUnderTest.open();
    // biome-ignore lint/correctness/useYield: it waits for nothing
    const restless: Workflow = function* (context) {
      const left = Number(context.input);
      return left === 0 ? "at last" : context.continueAsNew(`${left - 1}`);
    };
    under.connect({ flows: { ...flows, restless } });
    await under.engine.start({ workflow: "parent", instanceId: "p", input: "restless c 30" });
    expect((await under.engine.waitForCompletion("p")).output).toBe("child said at last");
    expect((await under.engine.get("c"))?.generation).toBe(31);
    await under.engine.close();
  });

  test("may be nested ten deep", async () => {
    const under = await EngineUnderTest.open();
    const deep: Workflow = function* (context) {
      const left = Number(context.input);
      if (left === 0) return "bottom";
      const [output = ""]: string[] = yield context.child("deep", "", `${left - 1}`);
      return output;
    };
    under.connect({ flows: { deep } });
    await under.engine.start({ workflow: "deep", instanceId: "d", input: "10" });
    expect((await under.engine.waitForCompletion("d")).output).toBe("bottom");
    await under.engine.close();
  });

  test("that nobody awaits runs when its parent has ended", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ workflows: ["w"] });
    under.connect({ workflows: ["echo"], flows });
    await under.engine.start({ workflow: "w", instanceId: "p" });
    await worker.completeTurn(await worker.turn(), [child(0, "echo", "c", "x"), complete(1)]);
    expect((await under.engine.waitForCompletion("c")).output).toBe("x");
    await under.engine.idle();
    expect(await under.engine.get("p")).toMatchObject({ status: "completed", historyLength: 4 });
    await under.engine.close();
  });
});

describe("a detached workflow", () => {
  const launcher: Workflow = function* (context) {
    context.detached("gather", "free", { input: "1", tags: { team: "blue" } });
    yield context.timer(context.now + 1);
    return "launched";
  };

  test("runs on its own, without a parent", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows: { ...flows, launcher } });
    await under.engine.start({ workflow: "launcher", instanceId: "p" });
    await under.runUntil(1_100_000);
    expect((await under.engine.get("p"))?.output).toBe("launched");
    const free = await under.engine.get("free");
    expect(free).toMatchObject({ status: "running", tags: { team: "blue" }, input: "1" });
    expect(free).not.toHaveProperty("parentInstanceId");
    await under.engine.terminate("p", { recursive: true });
    await under.engine.idle();
    expect((await under.engine.get("free"))?.status).toBe("running");
    await under.engine.close();
  });

  test("may be delayed", async () => {
    const under = await EngineUnderTest.open();
    const later: Workflow = function* (context) {
      context.detached("echo", "free", { startAt: 1_050_000 });
      yield context.event("never");
      return "";
    };
    under.connect({ flows: { ...flows, later } });
    await under.engine.start({ workflow: "later", instanceId: "p" });
    await under.runUntil(1_049_999);
    expect((await under.engine.get("free"))?.status).toBe("pending");
    await under.runUntil(1_050_000);
    expect((await under.engine.get("free"))?.status).toBe("completed");
    await under.engine.close();
  });

  test("on an id that is taken is dropped, and a line in the log", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows: { ...flows, launcher } });
    await under.engine.start({ workflow: "gather", instanceId: "free", input: "5" });
    await under.engine.start({ workflow: "launcher", instanceId: "p" });
    await under.runUntil(1_100_000);
    expect((await under.engine.get("p"))?.status).toBe("completed");
    expect((await under.engine.get("free"))?.input).toBe("5");
    expect(under.log.filter(({ level }) => level === "warn")).toEqual([
      {
        level: "warn",
        facts: { instanceId: "free", workflow: "gather" },
        message: "a detached workflow was not started: its id is taken",
      },
    ]);
    await under.engine.close();
  });
});

describe("messages to other instances", () => {
  test("an event sent by a workflow ends the other's wait", async () => {
    const under = await EngineUnderTest.open();
    // biome-ignore lint/correctness/useYield: it waits for nothing
    const sender: Workflow = function* (context) {
      for (const text of ["1", "2", "3"]) context.sendEvent("a", "go", text);
      context.sendEvent("nobody", "go", "lost");
      return "sent";
    };
    under.connect({ flows: { ...flows, sender } });
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "3" });
    await under.engine.start({ workflow: "sender", instanceId: "s" });
    expect((await under.engine.waitForCompletion("a")).output).toBe("1,2,3");
    await under.engine.idle();
    expect((await under.engine.get("s"))?.output).toBe("sent");
    await under.engine.close();
  });

  test("an event right behind the start of a child reaches it", async () => {
    const under = await EngineUnderTest.open();
    const both: Workflow = function* (context) {
      const asked = context.child("gather", "c", "2");
      for (const text of ["1", "2"]) context.sendEvent("c", "go", text);
      const [output] = yield asked;
      return output;
    };
    under.connect({ flows: { ...flows, both } });
    await under.engine.start({ workflow: "both", instanceId: "p" });
    await under.engine.idle();
    expect((await under.engine.get("p"))?.output).toBe("1,2");
    await under.engine.close();
  });

  test("a workflow can terminate another", async () => {
    const under = await EngineUnderTest.open();
    // biome-ignore lint/correctness/useYield: it waits for nothing
    const killer: Workflow = function* (context) {
      context.terminate("a", '"enough"');
      return "done";
    };
    under.connect({ flows: { ...flows, killer } });
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    await under.engine.start({ workflow: "killer" });
    expect(await under.engine.waitForCompletion("a")).toMatchObject({
      status: "terminated",
      output: '"enough"',
    });
    await under.engine.close();
  });

  test("a workflow can send to itself", async () => {
    const under = await EngineUnderTest.open();
    const loop: Workflow = function* (context) {
      context.sendEvent("a", "go", "hello me");
      const [heard] = yield context.event("go");
      return heard;
    };
    under.connect({ flows: { loop } });
    await under.engine.start({ workflow: "loop", instanceId: "a" });
    expect((await under.engine.waitForCompletion("a")).output).toBe("hello me");
    await under.engine.close();
  });
});
