// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import { eventsOf, kinds } from "./scripted-worker.js";

const start = 1_000_000;

/** An instance "a" of a workflow, whose first turn has run. */
async function openWith(workflow: keyof typeof flows, input: string): Promise<EngineUnderTest> {
  const under = await EngineUnderTest.open();
  under.connect({ flows, tasks });
  await under.engine.start({ workflow, instanceId: "a", input });
  await under.engine.idle();
  return under;
}

async function reasonsOf({ engine }: EngineUnderTest): Promise<unknown[]> {
  return (await engine.history("a")).flatMap(({ eventType }) =>
    eventType.case === "executionSuspended" || eventType.case === "executionResumed"
      ? [[eventType.case, eventType.value.input]]
      : [],
  );
}

describe("suspend and resume", () => {
  test("are written into history with their reasons; an empty reason is none", async () => {
    const under = await openWith("gather", "1");
    await under.engine.suspend("a", "audit");
    await under.engine.resume("a", "done");
    await under.engine.suspend("a", "");
    await under.engine.resume("a", "");
    await under.engine.idle();
    expect(await reasonsOf(under)).toEqual([
      ["executionSuspended", "audit"],
      ["executionResumed", "done"],
      ["executionSuspended", undefined],
      ["executionResumed", undefined],
    ]);
    await under.engine.close();
  });

  test("of what is so already are written down and change nothing", async () => {
    const under = await openWith("gather", "1");
    await under.engine.resume("a");
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("running");
    await under.engine.suspend("a");
    await under.engine.suspend("a");
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("suspended");
    await under.engine.resume("a");
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("running");
    expect(await reasonsOf(under)).toHaveLength(4);
    await under.engine.close();
  });

  test("of a pending instance: a resume does not undo a later suspend", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    await under.engine.resume("a");
    await under.engine.suspend("a");
    under.connect({ flows });
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("suspended");
    await under.engine.close();
  });

  test("of an ended instance change nothing", async () => {
    const under = await openWith("echo", "x");
    const ended = await under.engine.get("a");
    await under.engine.suspend("a");
    await under.engine.resume("a");
    await under.engine.idle();
    expect(await under.engine.get("a")).toEqual(ended);
    await under.engine.close();
  });
});

describe("a suspended instance", () => {
  test("is suspended once the event is in history, and no sooner", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), []);
    await under.engine.suspend("a");
    const turn = await worker.turn(2);
    expect((await under.engine.get("a"))?.status).toBe("running");
    await worker.completeTurn(turn, []);
    expect((await under.engine.get("a"))?.status).toBe("suspended");
    await under.engine.close();
  });

  test("takes the results of its activities, and its code goes on with the resume", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows, tasks });
    worker.isHolding = true;
    await under.engine.start({ workflow: "chain", instanceId: "a", input: "x" });
    worker.answer(await worker.turn());
    const activity = await worker.activity();
    await under.engine.suspend("a");
    worker.answer(await worker.turn(2));
    worker.answer(activity);
    expect(kinds(eventsOf(await worker.turn(3)))).toContain("taskCompleted");
    worker.letGo();
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("suspended");
    expect(worker.activities).toHaveLength(1);
    await under.engine.resume("a");
    expect((await under.engine.waitForCompletion("a")).output).toBe("x".repeat(8));
    expect(worker.activities).toHaveLength(3);
    await under.engine.close();
  });

  test("resumed before its timer is due wakes at the instant that was asked for", async () => {
    const at = start + 5000;
    const under = await openWith("sleep", `${at}`);
    await under.engine.suspend("a");
    await under.runUntil(start + 2000);
    await under.engine.resume("a");
    await under.runUntil(at - 1);
    expect((await under.engine.get("a"))?.status).toBe("running");
    await under.runUntil(at);
    expect(await under.engine.get("a")).toMatchObject({ status: "completed", completedAt: at });
    await under.engine.close();
  });

  test("resumed after its timer was due wakes with the resume", async () => {
    const at = start + 5000;
    const under = await openWith("sleep", `${at}`);
    await under.engine.suspend("a");
    await under.runUntil(at + 3000);
    expect((await under.engine.get("a"))?.status).toBe("suspended");
    await under.engine.resume("a");
    expect((await under.engine.waitForCompletion("a")).completedAt).toBe(at + 3000);
    await under.engine.close();
  });
});
