// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { flows } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import type { Workflow } from "./replay.js";

/** Takes one event in each execution and continues as new until it has as many as the input says. */
const oneByOne: Workflow = function* (context) {
  const [left = "0", ...taken] = context.input.split(",");
  const [next = ""]: string[] = yield context.event("go");
  const all = [...taken, next];
  if (Number(left) <= 1) return all.join(",");
  return context.continueAsNew([Number(left) - 1, ...all].join(","));
};

const numbers = (count: number): string =>
  Array.from({ length: count }, (_, index) => index).join(",");

describe("an event", () => {
  test("that is raised before the wait is not lost", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "2" });
    await under.engine.raiseEvent("a", "go", "first");
    await under.engine.raiseEvent("a", "GO", "second");
    under.connect({ flows });
    expect((await under.engine.waitForCompletion("a")).output).toBe("first,second");
    await under.engine.close();
  });

  test("that is raised during the wait ends it", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    await under.engine.idle();
    await under.engine.raiseEvent("a", "Go", "now");
    expect((await under.engine.waitForCompletion("a")).output).toBe("now");
    await under.engine.close();
  });

  test("keeps its name and payload as they were given", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "2" });
    await under.engine.raiseEvent("a", "Go", '{"a": 1}');
    await under.engine.raiseEvent("a", "gO");
    await under.engine.waitForCompletion("a");
    const raised = (await under.engine.history("a")).flatMap(({ eventType }) =>
      eventType.case === "eventRaised" ? [eventType.value] : [],
    );
    expect(raised.map(({ name, input }) => [name, input])).toEqual([
      ["Go", '{"a": 1}'],
      ["gO", undefined],
    ]);
    await under.engine.close();
  });

  test("comes once and in order, also when many are raised at one instant", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "2500" });
    await Promise.all(
      Array.from({ length: 2500 }, (_, index) => under.engine.raiseEvent("a", "go", `${index}`)),
    );
    expect((await under.engine.waitForCompletion("a")).output).toBe(numbers(2500));
    await under.engine.close();
  });

  test("waits for the next turn when a turn has a thousand", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1200" });
    const raised = Array.from({ length: 1200 }, () => under.engine.raiseEvent("a", "go"));
    await Promise.all(raised);
    const worker = under.connect({ flows });
    await under.engine.waitForCompletion("a");
    // One more: each turn begins with its workflowStarted; the first one has the start, too.
    expect(worker.turns.map(({ events }) => events.length)).toEqual([1001, 202]);
    await under.engine.close();
  });

  test("that an activity of the waiting instance raises is not lost, round after round", async () => {
    const agent: Workflow = function* (context) {
      const heard: string[] = [];
      for (let round = 0; round < 8; round += 1) {
        heard.push(...(yield context.event("go")));
        yield context.activity("think", `${round + 1}`);
      }
      return heard.join(",");
    };
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows: { agent }, tasks: { think: () => "" } });
    worker.onItem = (item) => {
      if (item.kind === "activity") void under.engine.raiseEvent(item.instanceId, "go", item.input);
    };
    for (const instanceId of ["a", "b", "c"]) {
      await under.engine.start({ workflow: "agent", instanceId });
      await under.engine.raiseEvent(instanceId, "go", "0");
      expect((await under.engine.waitForCompletion(instanceId)).output).toBe(numbers(8));
    }
    await under.engine.close();
  });

  test("comes after a crash", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "2" });
    await under.engine.raiseEvent("a", "go", "first");
    const after = await under.crash();
    after.connect({ flows });
    await after.engine.raiseEvent("a", "go", "second");
    expect((await after.engine.waitForCompletion("a")).output).toBe("first,second");
    await after.engine.close();
  });

  test("that is raised after the end changes nothing", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "x" });
    const ended = await under.engine.waitForCompletion("a");
    await under.engine.raiseEvent("a", "go", "late");
    expect(await under.engine.get("a")).toEqual(ended);
    await under.engine.close();
  });

  test("for an id that nobody has is refused", async () => {
    const under = await EngineUnderTest.open();
    await expect(under.engine.raiseEvent("nobody", "go")).rejects.toMatchObject({
      code: "INSTANCE_NOT_FOUND",
      details: { instanceId: "nobody" },
    });
    await under.engine.close();
  });
});

describe("events while an instance is suspended", () => {
  test("wait for the resume, in order", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "3" });
    await under.engine.suspend("a", "audit");
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("suspended");
    for (const text of ["1", "2", "3"]) await under.engine.raiseEvent("a", "go", text);
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("suspended");
    await under.engine.resume("a");
    expect((await under.engine.waitForCompletion("a")).output).toBe("1,2,3");
    await under.engine.close();
  });

  test("stay held over a crash", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    await under.engine.suspend("a");
    await under.engine.raiseEvent("a", "go", "held");
    await under.engine.idle();
    const after = await under.crash();
    after.connect({ flows });
    await after.engine.idle();
    expect((await after.engine.get("a"))?.status).toBe("suspended");
    await after.engine.resume("a");
    expect((await after.engine.waitForCompletion("a")).output).toBe("held");
    await after.engine.close();
  });

  test("hold an instance that was suspended before its first turn", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    await under.engine.suspend("a");
    under.connect({ flows });
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("suspended");
    await under.engine.raiseEvent("a", "go", "x");
    await under.engine.resume("a");
    expect((await under.engine.waitForCompletion("a")).output).toBe("x");
    await under.engine.close();
  });
});

describe("events across continue-as-new", () => {
  test("are carried over when the code did not take them", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "oneByOne", instanceId: "a", input: "50" });
    for (let index = 0; index < 50; index += 1) {
      await under.engine.raiseEvent("a", "go", `${index}`);
    }
    under.connect({ flows: { oneByOne } });
    const ended = await under.engine.waitForCompletion("a");
    expect(ended.output).toBe(numbers(50));
    expect(ended.generation).toBe(50);
    await under.engine.close();
  });

  test("are not lost when they come during the turn that continues", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows: { oneByOne } });
    let next = 0;
    const raises: Promise<void>[] = [];
    // With every turn, while the worker has it, two more events come.
    worker.onItem = () => {
      for (let more = 0; more < 2 && next < 40; more += 1, next += 1) {
        raises.push(under.engine.raiseEvent("a", "go", `${next}`));
      }
    };
    await under.engine.start({ workflow: "oneByOne", instanceId: "a", input: "40" });
    expect((await under.engine.waitForCompletion("a")).output).toBe(numbers(40));
    await Promise.all(raises);
    await under.engine.close();
  });

  test("keep carried ones before those that nobody has taken yet", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows: { oneByOne } });
    worker.isHolding = true;
    await under.engine.start({ workflow: "oneByOne", instanceId: "a", input: "4" });
    worker.answer(await worker.turn(1));
    await under.engine.raiseEvent("a", "go", "0");
    const turn = await worker.turn(2);
    for (const text of ["1", "2", "3"]) await under.engine.raiseEvent("a", "go", text);
    worker.answer(turn);
    worker.letGo();
    expect((await under.engine.waitForCompletion("a")).output).toBe("0,1,2,3");
    await under.engine.close();
  });

  test("come once each over a crash at every commit", async () => {
    let under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "oneByOne", instanceId: "a", input: "12" });
    for (let index = 0; index < 12; index += 1) {
      await under.engine.raiseEvent("a", "go", `${index}`);
    }
    // Each engine gets one commit through, then the power goes.
    let crashes = 0;
    for (; crashes < 40; crashes += 1) {
      under.faults.failNext(2, "cut", ["write"]);
      under.connect({ flows: { oneByOne } });
      if ((await endOrCut(under)) === "ended") break;
      under = await under.crash();
    }
    expect(crashes).toBeGreaterThan(5);
    expect((await under.engine.get("a"))?.output).toBe(numbers(12));
  });
});

/** Resolves when the instance has ended or the power is cut. */
async function endOrCut(under: EngineUnderTest): Promise<"ended" | "cut"> {
  let isEnded = false;
  void under.engine.waitForCompletion("a").then(() => {
    isEnded = true;
  });
  while (!isEnded && !under.faults.isCut()) await nextTick();
  return isEnded ? "ended" : "cut";
}
