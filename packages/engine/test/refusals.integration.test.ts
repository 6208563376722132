// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import type { EngineOptions } from "../src/index.js";
import { complete, schedule, versionNotAvailable } from "./actions.js";
import { chain, echo, flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import type { Workflow } from "./replay.js";
import { kinds, type ScriptedWorker } from "./scripted-worker.js";

/** A worker that has nothing. */
const empty = { refuses: true } as const;
/** One that has workflows, and no activity. */
const coder = { flows, refuses: true } as const;
/** One that has activities, and no workflow. */
const doer = { tasks, refuses: true } as const;

function startChain(under: EngineUnderTest, instanceId: string): Promise<unknown> {
  return under.engine.start({ workflow: "chain", instanceId, input: "x" });
}

/** The text of the failure that an instance ended with. */
async function failureOf(under: EngineUnderTest, instanceId: string): Promise<string | undefined> {
  return (await under.engine.waitForCompletion(instanceId)).failure?.message;
}

/** Names of the activities that a worker was asked for. */
function askedFor({ activities }: ScriptedWorker): string[] {
  return activities.map(({ name }) => name);
}

/** An engine that did the chain "a", whose activities' worker has gone; "b" is started since. */
async function openDeserted(options: EngineOptions = {}): Promise<EngineUnderTest> {
  const under = await EngineUnderTest.open(options);
  under.connect(coder);
  const acts = under.connect(doer);
  await startChain(under, "a");
  await under.engine.waitForCompletion("a");
  acts.close();
  await startChain(under, "b");
  await under.engine.idle();
  return under;
}

/** An engine that crashed while an activity of "a" was out, with a worker that lacks it. */
async function openCrashed(): Promise<EngineUnderTest> {
  const under = await EngineUnderTest.open();
  under.connect(coder);
  under.connect({ activities: ["double"], workflows: [] });
  await startChain(under, "a");
  await under.engine.waitForStart("a");
  return under.crash();
}

describe("work that is not registered with its worker", () => {
  test("goes to the workers that have it, each name asked for once of those that lack it", async () => {
    const under = await EngineUnderTest.open();
    const idle = under.connect(empty);
    const turns = under.connect(coder);
    const acts = under.connect(doer);
    for (const id of ["a", "b", "c"]) {
      await startChain(under, id);
      expect((await under.engine.waitForCompletion(id)).output).toBe("xxxxxxxx");
    }
    // Who has a name is found out by asking, once for each of those that lack it.
    for (const worker of [idle, acts]) expect(worker.turns.length).toBeLessThanOrEqual(1);
    for (const worker of [idle, turns]) expect(worker.activities.length).toBeLessThanOrEqual(1);
    expect(acts.activities).toHaveLength(9);
    await under.engine.close();
  });

  test("leaves no trace in history, and has one result", async () => {
    const under = await EngineUnderTest.open();
    for (const script of [empty, coder, empty, doer]) under.connect(script);
    await startChain(under, "a");
    await under.engine.waitForCompletion("a");
    const plain = await EngineUnderTest.open();
    plain.connect({ flows, tasks });
    await startChain(plain, "a");
    await plain.engine.waitForCompletion("a");
    const [mixed, alone] = [await under.engine.history("a"), await plain.engine.history("a")];
    expect(kinds(mixed).filter((kind) => kind !== "workflowStarted")).toEqual(
      kinds(alone).filter((kind) => kind !== "workflowStarted"),
    );
    await Promise.all([under.engine.close(), plain.engine.close()]);
  });

  test("fails at once, in the worker's words, where one worker is all there is", async () => {
    const under = await EngineUnderTest.open();
    under.connect(coder);
    await startChain(under, "a");
    await under.engine.start({ workflow: "nobodys", instanceId: "b" });
    expect(await failureOf(under, "a")).toContain("no activity double");
    expect(await failureOf(under, "b")).toBe("no workflow nobodys");
    await under.engine.close();
  });

  test("fails at once when every worker that is there has refused it", async () => {
    const under = await EngineUnderTest.open();
    const workers = [under.connect(coder), under.connect(empty), under.connect(empty)];
    await startChain(under, "a");
    expect(await failureOf(under, "a")).toContain("no activity double");
    expect(workers.map(askedFor)).toEqual([["double"], ["double"], ["double"]]);
    // They have said so: the next time one of them is asked, in case it has come since.
    await startChain(under, "b");
    expect(await failureOf(under, "b")).toContain("no activity double");
    expect(workers.flatMap(askedFor)).toHaveLength(4);
    await under.engine.close();
  });

  test("is asked for again of a worker that has it since", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ flows });
    worker.isHolding = true;
    await startChain(under, "a");
    worker.answer(await worker.turn());
    await worker.refuseActivity(await worker.activity());
    worker.answer(await worker.turn(2));
    expect(await failureOf(under, "a")).toContain("no activity double");
    await startChain(under, "b");
    worker.answer(await worker.turn(3));
    await worker.completeActivity(await worker.activity(2), { output: "y" });
    worker.answer(await worker.turn(4));
    await worker.completeActivity(await worker.activity(3), { output: "yy" });
    expect((await under.engine.get("b"))?.status).toBe("running");
    await under.engine.close();
  });

  test("goes to one that announced its name, and waits for it to have room", async () => {
    const under = await EngineUnderTest.open();
    under.connect(coder);
    const busy = under.connect({ workflows: [], activities: ["double"], activityLimit: 1, tasks });
    busy.isHolding = true;
    await startChain(under, "a");
    await startChain(under, "b");
    await busy.activity();
    busy.letGo();
    expect((await under.engine.waitForCompletion("a")).output).toBe("xxxxxxxx");
    expect((await under.engine.waitForCompletion("b")).output).toBe("xxxxxxxx");
    await under.engine.close();
  });

  test("fails when the one that might have had it goes away without having been asked", async () => {
    const under = await EngineUnderTest.open();
    const hidden = under.connect({ workflows: ["w"], activityLimit: 1 });
    await under.engine.start({ workflow: "w", instanceId: "first" });
    await hidden.completeTurn(await hidden.turn(), [schedule(0, "long")]);
    await hidden.activity();
    under.connect(coder);
    await startChain(under, "a");
    await under.engine.waitForStart("a");
    hidden.close();
    expect(await failureOf(under, "a")).toContain("no activity double");
    await under.engine.close();
  });

  test("takes a large fan-out along, also when its workers come and go", async () => {
    const under = await EngineUnderTest.open({ workerReturnMs: 1000 });
    under.connect(coder);
    const first = under.connect(doer);
    first.isHolding = true;
    const input = Array.from({ length: 50 }, (_, index) => `p${index}`).join(",");
    await under.engine.start({ workflow: "fanOut", instanceId: "a", input });
    first.letGo();
    first.close();
    under.connect(doer);
    const { output } = await under.engine.waitForCompletion("a");
    expect(output?.split("+")).toHaveLength(50);
    await under.engine.close();
  });
});

describe("work whose worker has just gone", () => {
  test("waits for it to come back", async () => {
    const under = await openDeserted();
    expect(await under.engine.explain("b")).toMatchObject({
      activities: [{ name: "double", waitsFor: "worker" }],
    });
    under.clock.advance(59_999);
    await under.engine.idle();
    under.connect(doer);
    expect((await under.engine.waitForCompletion("b")).output).toBe("xxxxxxxx");
    await under.engine.close();
  });

  test("fails when it does not come back in time, workflows and activities alike", async () => {
    const under = await EngineUnderTest.open({ workerReturnMs: 5000 });
    under.connect(empty);
    const both = under.connect({ flows: { chain }, tasks });
    await startChain(under, "a");
    await under.engine.waitForCompletion("a");
    const acts = under.connect(doer);
    both.close();
    await startChain(under, "turn");
    await under.engine.idle();
    expect((await under.engine.get("turn"))?.status).toBe("pending");
    under.clock.advance(4999);
    await under.engine.idle();
    expect((await under.engine.get("turn"))?.status).toBe("pending");
    acts.close();
    under.clock.advance(1);
    expect(await failureOf(under, "turn")).toBe("no workflow chain");
    await under.engine.close();
  });

  test("ends at once when it is terminated meanwhile", async () => {
    const under = await EngineUnderTest.open();
    under.connect(empty);
    const turns = under.connect(coder);
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "x" });
    await under.engine.waitForCompletion("a");
    turns.close();
    await under.engine.start({ workflow: "echo", instanceId: "b", input: "x" });
    await under.engine.idle();
    await under.engine.terminate("b");
    expect((await under.engine.waitForCompletion("b")).status).toBe("terminated");
    await under.engine.close();
  });

  test("is told again what came meanwhile, and once", async () => {
    const under = await EngineUnderTest.open();
    under.connect(empty);
    const turns = under.connect(coder);
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "2" });
    await under.engine.waitForStart("a");
    turns.close();
    await under.engine.raiseEvent("a", "go", "1");
    await under.engine.idle();
    await under.engine.raiseEvent("a", "go", "2");
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("running");
    under.connect(coder);
    expect((await under.engine.waitForCompletion("a")).output).toBe("1,2");
    await under.engine.close();
  });

  test("after a crash waits for any worker", async () => {
    const again = await openCrashed();
    const turns = again.connect(coder);
    await turns.activity();
    await again.engine.idle();
    again.connect(doer);
    expect((await again.engine.waitForCompletion("a")).output).toBe("xxxxxxxx");
    await again.engine.close();
  });

  test.each([
    ["refuses", empty],
    ["says nothing", { isSilent: true } as const],
  ])(
    "after a crash waits for any worker, though nothing was under way, while one %s",
    async (_, lacking) => {
      const under = await EngineUnderTest.open();
      under.connect(coder);
      await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
      await under.engine.waitForStart("a");
      await under.engine.idle();
      const again = await under.crash();
      const other = again.connect(lacking);
      await again.engine.raiseEvent("a", "go", "1");
      if (lacking === empty) await again.engine.idle();
      else await other.completeTurn(await other.turn(), []);
      again.connect(coder);
      expect((await again.engine.waitForCompletion("a")).output).toBe("1");
      await again.engine.close();
    },
  );

  test("after a crash fails when none comes", async () => {
    const again = await openCrashed();
    again.connect(coder);
    await again.engine.idle();
    again.clock.advance(60_000);
    expect(await failureOf(again, "a")).toContain("no activity double");
    await again.engine.close();
  });

  test("fails at once where nothing is to be waited for", async () => {
    const under = await openDeserted({ workerReturnMs: 0 });
    expect(await failureOf(under, "b")).toContain("no activity double");
    await under.engine.close();
  });

  test.each([
    ["back", 3_600_000],
    ["forward", -3_600_000],
  ])("is waited for as long by a clock that is set %s", async (_, byMs) => {
    const under = await openDeserted();
    under.clock.advance(30_000);
    under.clock.setBack(byMs);
    under.clock.advance(29_999);
    await under.engine.idle();
    expect((await under.engine.get("b"))?.status).toBe("running");
    under.clock.advance(1);
    expect(await failureOf(under, "b")).toContain("no activity double");
    await under.engine.close();
  });
});

describe("an instance that a worker has and cannot go on with", () => {
  test("stalls, whatever workers say that lack its workflow", async () => {
    const under = await EngineUnderTest.open();
    const able = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const turn = await able.turn();
    const lacking = under.connect(empty);
    await able.completeTurn(turn, [versionNotAvailable(0)]);
    await lacking.turn();
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("stalled");
    lacking.close();
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("stalled");
    under.connect({ flows: { w: echo } });
    expect((await under.engine.waitForCompletion("a")).status).toBe("completed");
    await under.engine.close();
  });

  test("does not stall a worker that has it while others lack it", async () => {
    const under = await EngineUnderTest.open();
    const lacking = under.connect(empty);
    const able = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const turn = await able.turn();
    expect(lacking.turns).toHaveLength(1);
    await able.completeTurn(turn, [complete(0, "1")]);
    expect((await under.engine.get("a"))?.output).toBe("1");
    await under.engine.close();
  });
});

describe("a worker that answers by nothing what it lacks", () => {
  /** It has "gather", and answers every other workflow by nothing. */
  const gather = flows.gather as Workflow;
  const silent = { isSilent: true, activities: [], flows: { gather } } as const;

  /** Answers what the worker lacks as .NET's does. */
  function answerByNothing(worker: ScriptedWorker): ScriptedWorker {
    worker.onItem = (item) => {
      if (item.kind !== "turn" || item.workflow === "gather") return;
      worker.open.delete(item);
      void worker.completeTurn(item, []);
    };
    return worker;
  }

  test("does not swallow the turns of others", async () => {
    const under = await EngineUnderTest.open();
    const quiet = answerByNothing(under.connect(silent));
    under.connect({ flows, tasks });
    await startChain(under, "a");
    expect((await under.engine.waitForCompletion("a")).output).toBe("xxxxxxxx");
    expect(quiet.turns.length).toBeLessThanOrEqual(1);
    await under.engine.close();
  });

  test("does not swallow those of a worker that has just gone", async () => {
    const under = await EngineUnderTest.open();
    const turns = under.connect({ flows, tasks });
    await startChain(under, "a");
    await under.engine.waitForCompletion("a");
    const quiet = answerByNothing(under.connect(silent));
    turns.close();
    await startChain(under, "b");
    await quiet.turn();
    await under.engine.idle();
    expect((await under.engine.get("b"))?.status).toBe("pending");
    under.connect({ flows, tasks });
    expect((await under.engine.waitForCompletion("b")).output).toBe("xxxxxxxx");
    await under.engine.close();
  });

  test("is believed where the others lack the workflow, and where it has it", async () => {
    const under = await EngineUnderTest.open();
    const lacking = under.connect(empty);
    const quiet = answerByNothing(under.connect(silent));
    for (const id of ["a", "b"]) {
      await under.engine.start({ workflow: "gather", instanceId: id, input: "1" });
      expect((await under.engine.waitForStart(id)).status).toBe("running");
    }
    expect(lacking.turns).toHaveLength(1);
    const asked = quiet.turns.length;
    await under.engine.raiseEvent("b", "go", "x");
    expect((await under.engine.waitForCompletion("b")).output).toBe("x");
    expect(quiet.turns).toHaveLength(asked + 1);
    await under.engine.close();
  });

  test("does not end a stall", async () => {
    const under = await EngineUnderTest.open();
    const able = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const turn = await able.turn();
    answerByNothing(under.connect(silent));
    await able.completeTurn(turn, [versionNotAvailable(0)]);
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("stalled");
    await under.engine.close();
  });
});
