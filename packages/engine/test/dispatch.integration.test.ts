// SPDX-License-Identifier: Apache-2.0

import type { ActivityItem, TurnItem } from "@pawl/protocol/port";
import { describe, expect, test } from "vitest";
import { complete, schedule } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import { kinds, type ScriptedWorker } from "./scripted-worker.js";

/** An activity that a worker has. */
async function openActivity(): Promise<[EngineUnderTest, ScriptedWorker, ActivityItem]> {
  const under = await EngineUnderTest.open();
  const worker = under.connect({});
  await under.engine.start({ workflow: "w", instanceId: "a" });
  await worker.completeTurn(await worker.turn(), [schedule(0, "charge")]);
  return [under, worker, await worker.activity()];
}

const namesOf = (turns: readonly TurnItem[]): string[] => turns.map(({ workflow }) => workflow);

describe("a worker that goes away", () => {
  test("leaves its turn to the next one, with a new token", async () => {
    const under = await EngineUnderTest.open();
    const first = under.connect({});
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "x" });
    const lost = await first.turn();
    first.close();
    const second = under.connect({ flows });
    expect((await under.engine.waitForCompletion("a")).output).toBe("x");
    expect(second.lastTurn().token).not.toBe(lost.token);
    await under.engine.close();
  });

  test("leaves its activity to the next one, with a new token", async () => {
    const [under, first, lost] = await openActivity();
    first.close();
    const second = under.connect({});
    const again = await second.activity();
    expect(again).toEqual({ ...lost, token: again.token });
    expect(again.token).not.toBe(lost.token);
    await second.completeActivity(again, { output: "1" });
    await second.completeTurn(await second.turn(), [complete(1)]);
    expect((await under.engine.get("a"))?.status).toBe("completed");
    await under.engine.close();
  });

  test("may end its session twice, and answer late without effect", async () => {
    const [under, first, lost] = await openActivity();
    first.close();
    first.session.close();
    const second = under.connect({});
    const again = await second.activity();
    await first.completeActivity(lost, { output: '"late"' });
    await under.engine.get("a");
    expect(second.turns).toEqual([]);
    await second.completeActivity(again, { output: '"right"' });
    expect((await second.turn()).events.at(-1)?.event.eventType.value).toMatchObject({
      result: '"right"',
    });
    await under.engine.close();
  });

  test("gives its items back in their order, before those that wait", async () => {
    const under = await EngineUnderTest.open();
    const first = under.connect({ activityLimit: 3 });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const wishes = [0, 1, 2, 3, 4].map((id) => schedule(id, "charge"));
    await first.completeTurn(await first.turn(), wishes);
    await first.activity(3);
    first.close();
    const second = under.connect({});
    await second.activity(5);
    expect(second.activities.map(({ taskId }) => taskId)).toEqual([0, 1, 2, 3, 4]);
    await under.engine.close();
  });

  test("no longer counts", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    under.connect({});
    expect(under.engine.workerCount()).toBe(2);
    worker.close();
    expect(under.engine.workerCount()).toBe(1);
    await under.engine.close();
  });
});

describe("a completion token", () => {
  test("of another turn changes nothing, and is no error", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const turn = await worker.turn();
    for (const token of ["forged", `${turn.token} `, "x".repeat(10_000)]) {
      await worker.completeTurn({ instanceId: "a", token }, [complete(0, '"forged"')]);
    }
    await worker.completeTurn({ instanceId: "nobody", token: turn.token }, [complete(0)]);
    expect((await under.engine.get("a"))?.status).toBe("pending");
    await worker.completeTurn(turn, [complete(0, '"right"')]);
    await worker.completeTurn(turn, [complete(0, '"twice"')]);
    expect((await under.engine.get("a"))?.output).toBe('"right"');
    await under.engine.close();
  });

  test("that is empty means the turn in flight", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await worker.completeTurn({ instanceId: "a", token: "" }, [complete(0)]);
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.turn();
    await worker.completeTurn({ instanceId: "a", token: "" }, [complete(0, '"x"')]);
    expect((await under.engine.get("a"))?.output).toBe('"x"');
    await worker.completeTurn({ instanceId: "a", token: "" }, [complete(0, '"y"')]);
    expect((await under.engine.get("a"))?.output).toBe('"x"');
    await under.engine.close();
  });

  test("of another activity changes nothing, and is no error", async () => {
    const [under, worker, activity] = await openActivity();
    await worker.completeActivity({ ...activity, token: "forged" }, { output: "1" });
    await worker.completeActivity({ ...activity, taskId: 7, token: "" }, { output: "1" });
    await worker.completeActivity({ ...activity, taskId: 7 }, { output: "1" });
    await worker.completeActivity({ ...activity, instanceId: "nobody" }, { output: "1" });
    expect(worker.turns).toHaveLength(1);
    await worker.completeActivity(activity, { output: "2" });
    await worker.completeActivity(activity, { output: "3" });
    expect((await worker.turn(2)).events).toHaveLength(2);
    await under.engine.close();
  });

  test("that is empty means the oldest activity of that task", async () => {
    const [under, worker, activity] = await openActivity();
    await worker.completeActivity({ ...activity, token: "" }, { output: '"x"' });
    expect((await worker.turn(2)).events.at(-1)?.event.eventType.value).toMatchObject({
      taskScheduledId: 0,
      result: '"x"',
    });
    await under.engine.close();
  });
});

describe("dispatch", () => {
  test("offers work to those who announced its name", async () => {
    const under = await EngineUnderTest.open();
    const none = under.connect({ workflows: [], activities: [] });
    const turns = under.connect({ workflows: ["chain"], activities: [], flows });
    const acts = under.connect({ workflows: [], activities: ["double"], tasks });
    await under.engine.start({ workflow: "chain", instanceId: "a", input: "x" });
    await under.engine.waitForCompletion("a");
    expect(none.items).toEqual([]);
    expect([turns.turns.length, turns.activities.length]).toEqual([4, 0]);
    expect([acts.turns.length, acts.activities.length]).toEqual([0, 3]);
    await under.engine.close();
  });

  test("keeps work that nobody can do until somebody comes who can", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ workflows: ["other"], flows });
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "x" });
    await under.engine.idle();
    expect((await under.engine.get("a"))?.status).toBe("pending");
    under.connect({ workflows: ["echo"], flows });
    expect((await under.engine.waitForCompletion("a")).output).toBe("x");
    await under.engine.close();
  });

  test("is fair: a flood of one workflow does not hold up the others", async () => {
    const under = await EngineUnderTest.open();
    for (let index = 0; index < 100; index += 1) {
      await under.engine.start({ workflow: "flood", instanceId: `f${index}` });
    }
    await under.engine.start({ workflow: "drop", instanceId: "d" });
    const worker = under.connect({ turnLimit: 1, flows: { flood: flows.echo, drop: flows.echo } });
    await under.engine.waitForCompletion("d");
    await under.engine.idle();
    expect(namesOf(worker.turns).indexOf("drop")).toBeLessThan(3);
    expect(worker.turns).toHaveLength(101);
    await under.engine.close();
  });

  test("is fair to activities, too", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ activityLimit: 1, tasks });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const wishes = Array.from({ length: 50 }, (_, id) => schedule(id, "double"));
    await worker.completeTurn(await worker.turn(), [...wishes, schedule(50, "refuse")]);
    await worker.activity(51);
    expect(worker.activities.findIndex(({ name }) => name === "refuse")).toBeLessThan(4);
    await under.engine.close();
  });

  test("gives a worker no more turns and activities than it takes at once", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ turnLimit: 2, activityLimit: 3 });
    for (let index = 0; index < 5; index += 1) {
      await under.engine.start({ workflow: "w", instanceId: `a${index}` });
    }
    expect(worker.turns).toHaveLength(2);
    const [first] = worker.turns;
    if (first === undefined) throw new Error("no turn came");
    await worker.completeTurn(
      first,
      [0, 1, 2, 3, 4].map((id) => schedule(id, "double")),
    );
    await worker.turn(3);
    await worker.activity(3);
    expect(worker.turns).toHaveLength(3);
    expect(worker.activities).toHaveLength(3);
    await worker.completeActivity(worker.lastActivity(), { output: "1" });
    expect(await worker.activity(4)).toMatchObject({ taskId: 3 });
    await under.engine.close();
  });

  test("shares work out among workers with room", async () => {
    const under = await EngineUnderTest.open();
    const workers = [1, 2, 3, 4].map(() => under.connect({}));
    for (let index = 0; index < 40; index += 1) {
      await under.engine.start({ workflow: "w", instanceId: `a${index}` });
    }
    expect(workers.map(({ turns }) => turns.length)).toEqual([10, 10, 10, 10]);
    await under.engine.close();
  });

  test("keeps an instance with the worker of its last turn", async () => {
    const under = await EngineUnderTest.open();
    const first = under.connect({ flows, turnLimit: 2 });
    for (const instanceId of ["a", "b"]) {
      await under.engine.start({ workflow: "gather", instanceId, input: "3" });
    }
    await under.engine.idle();
    const roomier = under.connect({ flows, turnLimit: 100 });
    for (let round = 0; round < 3; round += 1) {
      for (const instanceId of ["a", "b"]) await under.engine.raiseEvent(instanceId, "go");
      await under.engine.idle();
    }
    expect(first.turns).toHaveLength(8);
    expect(roomier.turns).toEqual([]);
    await under.engine.close();
  });

  test("takes a worker that answers from within the delivery", async () => {
    const under = await EngineUnderTest.open();
    const { engine } = under;
    const answers: Promise<void>[] = [];
    let turns = 0;
    engine.connectWorker({ name: "eager", turnLimit: 1 }, (item) => {
      turns += 1;
      if (item.kind !== "turn") return;
      answers.push(
        engine.completeTurn({
          instanceId: item.instanceId,
          token: item.token,
          actions: [complete(0)],
        }),
      );
    });
    const ids = Array.from({ length: 50 }, (_, index) => `a${index}`);
    await Promise.all(
      ids.map((instanceId, index) => engine.start({ workflow: `w${index % 5}`, instanceId })),
    );
    await Promise.all(ids.map((id) => engine.waitForCompletion(id)));
    await Promise.all(answers);
    expect(turns).toBe(50);
    await engine.close();
  });

  test("has one turn of an instance in flight, whatever happens meanwhile", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    const other = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await under.engine.raiseEvent("a", "go");
    await under.engine.suspend("a");
    await under.engine.resume("a");
    expect(worker.turns.length + other.turns.length).toBe(1);
    await under.engine.close();
  });
});

test("work left for a worker that then says of other work that it lacks it does not wait for it", async () => {
  const under = await EngineUnderTest.open();
  const turns = under.connect({ activities: [] });
  under.connect({ refuses: true, workflows: [] });
  under.connect({ refuses: true, workflows: [], activityLimit: 1 });
  await under.engine.start({ workflow: "w", instanceId: "a" });
  const both = [schedule(0, "ghost"), schedule(1, "ghost")];
  await turns.completeTurn(await turns.turn(), both);
  const failures = () =>
    turns.turns.flatMap(({ events }) => kinds(events.map(({ event }) => event)));
  for (let count = 2; failures().filter((kind) => kind === "taskFailed").length < 2; count += 1) {
    await turns.completeTurn(await turns.turn(count), []);
  }
  await under.engine.close();
});
