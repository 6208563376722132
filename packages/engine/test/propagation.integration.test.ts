// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import type { TurnItem } from "@pawl/protocol/port";
import { describe, expect, test } from "vitest";
import { problemsOf } from "../src/testing/check-store.js";
import { child, complete, continueWith, given, lineage, own, schedule, timer } from "./actions.js";
import { tick } from "./manual-clock.js";
import { EngineUnderTest } from "./open-engine.js";
import { givenHistory } from "./propagated.js";
import { kinds, type Script, type ScriptedWorker } from "./scripted-worker.js";

const upToTask = ["workflowStarted", "executionStarted", "taskScheduled"];

async function opened(
  script: Script = {},
): Promise<{ under: EngineUnderTest; worker: ScriptedWorker }> {
  const under = await EngineUnderTest.open();
  return { under, worker: under.connect(script) };
}

/** A parent "p" that has asked for child "c" with this scope; and the child's first turn. */
async function withChild(
  { under, worker }: { under: EngineUnderTest; worker: ScriptedWorker },
  scope = own,
): Promise<TurnItem> {
  await under.engine.start({ workflow: "parent", instanceId: "p", input: '"in"' });
  await worker.completeTurn(await worker.turn(), [given(child(0, "child", "c"), scope)]);
  return worker.turn(2);
}

/** An instance "a" that has asked for an activity with its history, the reading of which waits at the gate. */
async function readingHistory(): Promise<{
  under: EngineUnderTest;
  worker: ScriptedWorker;
  gate: ReturnType<EngineUnderTest["faults"]["hold"]>;
}> {
  const { under, worker } = await opened({ cache: "result" });
  await under.engine.start({ workflow: "w", instanceId: "a" });
  const turn = await worker.turn();
  const gate = under.faults.hold("range");
  await worker.completeTurn(turn, [given(schedule(0, "x"), own)]);
  while (gate.waiting() === 0) await tick();
  return { under, worker, gate };
}

describe("an activity that is asked for with a scope", () => {
  test("is given its workflow's events up to its scheduling, by every worker that gets it", async () => {
    const { under, worker } = await opened();
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const actions = [given(schedule(0, "x"), own), schedule(1, "y"), given(schedule(2, "z"), own)];
    await worker.completeTurn(await worker.turn(), actions);
    await worker.activity(3);
    const found = (name: string) => {
      const item = worker.activities.findLast((activity) => activity.name === name);
      return givenHistory(item?.propagated);
    };
    expect(found("x")).toEqual({
      scope: own,
      chunks: [{ instanceId: "a", workflow: "w", appId: "pawl", kinds: upToTask }],
    });
    expect(found("y")).toBeUndefined();
    expect(found("z")?.chunks[0]?.kinds).toEqual([...upToTask, "taskScheduled", "taskScheduled"]);
    const before = found("x");
    worker.close();
    const other = under.connect({});
    await other.activity(3);
    const again = other.activities.find(({ name }) => name === "x");
    expect(givenHistory(again?.propagated)).toEqual(before);
    const after = await under.crash();
    const third = after.connect({});
    await third.activity(3);
    const last = third.activities.find(({ name }) => name === "x");
    expect(givenHistory(last?.propagated)).toEqual(before);
    await after.engine.close();
  });

  test("is given it, too, where it has to be read, and with no more at once than its worker takes", async () => {
    const { under, worker } = await opened({ cache: "result", activityLimit: 1 });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const actions = [0, 1, 2].map((id) => given(schedule(id, "x"), own));
    await worker.completeTurn(await worker.turn(), actions);
    for (let count = 1; count <= 3; count += 1) {
      const item = await worker.activity(count);
      await tick();
      expect(worker.activities).toHaveLength(count);
      expect(givenHistory(item.propagated)?.chunks[0]?.kinds.at(-1)).toBe("taskScheduled");
      await worker.completeActivity(item);
    }
    await under.engine.close();
  });

  test("is handed out by the next engine where the history cannot be read", async () => {
    const { under, worker } = await opened({ cache: "result" });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    under.faults.failNext(1, "error", ["range"]);
    await worker.completeTurn(await worker.turn(), [given(schedule(0, "x"), own)]);
    const item = await worker.activity();
    expect(givenHistory(item.propagated)?.chunks[0]?.kinds).toEqual(upToTask);
    await worker.completeActivity(item, { output: "1" });
    await worker.turn(2);
    await under.engine.close();
  });

  test("is not handed out when its workflow was purged while the history was read", async () => {
    const { under, worker, gate } = await readingHistory();
    await under.engine.purge("a", { force: true });
    gate.release();
    await under.engine.idle();
    expect(worker.activities).toEqual([]);
    expect(under.log.filter(({ level }) => level === "error")).toEqual([]);
    await under.engine.close();
  });

  test("is handed out when its workflow goes on while the history is read", async () => {
    const { under, worker, gate } = await readingHistory();
    // The store has more by then than the row that the reading began with says.
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(2), [timer(1, 9_000_000)]);
    gate.release();
    const item = await worker.activity();
    expect(givenHistory(item.propagated)?.chunks[0]?.kinds).toEqual(upToTask);
    expect(under.log.filter(({ level }) => level === "error")).toEqual([]);
    await under.engine.close();
  });

  test("goes to another worker when its own left while the history was read", async () => {
    const { under, worker, gate } = await readingHistory();
    worker.close();
    const other = under.connect({});
    gate.release();
    const item = await other.activity();
    expect(givenHistory(item.propagated)?.chunks[0]?.kinds).toEqual(upToTask);
    expect(worker.activities).toEqual([]);
    await under.engine.close();
  });

  test("of a workflow that has gone on as another execution is given nothing", async () => {
    const { under, worker } = await opened({ activities: [] });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [given(schedule(0, "x"), own)]);
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(2), [continueWith(1)]);
    await worker.completeTurn(await worker.turn(3), [given(schedule(0, "y"), own)]);
    const late = under.connect({ workflows: [] });
    await late.activity(2);
    const found = new Map(late.activities.map(({ name, propagated }) => [name, propagated]));
    expect(found.get("x")).toBeUndefined();
    expect(givenHistory(found.get("y"))?.chunks[0]?.kinds).toEqual(upToTask);
    await under.engine.close();
  });
});

describe("a child that is asked for with a scope", () => {
  test("is given its parent's history with every turn, also over a crash", async () => {
    const { under, worker } = await opened();
    const turn = await withChild({ under, worker });
    const expected = {
      scope: own,
      chunks: [
        {
          instanceId: "p",
          workflow: "parent",
          appId: "pawl",
          kinds: ["workflowStarted", "executionStarted", "childWorkflowInstanceCreated"],
        },
      ],
    };
    expect(givenHistory(turn.propagated)).toEqual(expected);
    await worker.completeTurn(turn, [timer(0, 1_009_000)]);
    const after = await under.crash();
    expect(await problemsOf(after.faults.behind, after.clock.now())).toEqual([]);
    const next = after.connect({ cache: "past" });
    for (let count = 1; count <= 2; count += 1) {
      await after.engine.raiseEvent("c", "go");
      const again = await next.turn(count);
      expect(givenHistory(again.propagated)).toEqual(expected);
      expect(again.pastEventCount).toBe(2 + 2 * count - 1);
      await next.completeTurn(again, []);
    }
    await after.engine.close();
  });

  test("has it on disk with its start, before its first turn", async () => {
    const { under, worker } = await opened({ workflows: ["parent"] });
    await under.engine.start({ workflow: "parent", instanceId: "p" });
    await worker.completeTurn(await worker.turn(), [given(child(0, "child", "c"), own)]);
    await under.engine.idle();
    const after = await under.crash();
    const next = after.connect({ workflows: ["child"] });
    expect(givenHistory((await next.turn()).propagated)?.chunks).toHaveLength(1);
    await after.engine.close();
  });

  test("gets it from an outbox that a crash left behind", async () => {
    const { under, worker } = await opened();
    await under.engine.start({ workflow: "parent", instanceId: "p" });
    const turn = await worker.turn();
    // The parent's turn is written, the message's arrival is not.
    under.faults.failNext(2, "cut", ["write"]);
    await worker.completeTurn(turn, [given(child(0, "child", "c"), own)]);
    await tick();
    const after = await under.crash();
    const next = after.connect({});
    expect(givenHistory((await next.turn()).propagated)?.chunks).toHaveLength(1);
    await after.engine.close();
  });

  test("has a history of its own in which it does not show, and is deleted whole", async () => {
    const { under, worker } = await opened();
    const turn = await withChild({ under, worker });
    await worker.completeTurn(turn, [complete(0, '"out"')]);
    await worker.completeTurn(await worker.turn(3), [complete(1)]);
    const after = await under.crash();
    const history = kinds(await after.engine.history("c"));
    expect(history).toEqual(["workflowStarted", "executionStarted", "executionCompleted"]);
    expect(await after.engine.get("c")).toMatchObject({ output: '"out"', historyLength: 3 });
    const changes = after.engine.watch("c", { history: true });
    for await (const change of changes) {
      expect(kinds(change.events ?? [])).toEqual(history);
      break;
    }
    expect(await after.engine.purge("p")).toBe(2);
    expect(await after.left()).toBe(0);
    await after.engine.close();
  });

  test("leaves it behind when its id is used again, and the older execution stays whole", async () => {
    const { under, worker } = await opened();
    const turn = await withChild({ under, worker });
    const { executionId } = turn;
    await worker.completeTurn(turn, [complete(0, '"first"')]);
    await under.engine.start({ workflow: "child", instanceId: "c" });
    const again = await worker.turn(4);
    const fresh = [again, worker.turns[2]].find((item) => item?.instanceId === "c");
    expect(fresh).not.toHaveProperty("propagated");
    expect(await under.engine.get("c", { executionId })).toMatchObject({ output: '"first"' });
    expect(await under.engine.history("c", { executionId })).toHaveLength(3);
    const after = await under.crash();
    expect(await problemsOf(after.faults.behind, after.clock.now())).toEqual([]);
    expect(await after.engine.history("c", { executionId })).toHaveLength(3);
    await after.engine.close();
  });

  test("is given it by a parent whose history has to be read", async () => {
    const { under, worker } = await opened({ cache: "result" });
    await under.engine.start({ workflow: "parent", instanceId: "p" });
    await worker.completeTurn(await worker.turn(), [timer(0, 1_009_000)]);
    await under.engine.raiseEvent("p", "go");
    await worker.completeTurn(await worker.turn(2), [given(child(1, "child", "c"), own)]);
    const turn = await worker.turn(3);
    expect(givenHistory(turn.propagated)?.chunks[0]?.kinds).toHaveLength(6);
    await under.engine.close();
  });

  test("is asked for again later where that history cannot be read", async () => {
    const { under, worker } = await opened({ cache: "result" });
    await under.engine.start({ workflow: "parent", instanceId: "p" });
    await worker.completeTurn(await worker.turn(), [timer(0, 1_009_000)]);
    await under.engine.raiseEvent("p", "go");
    const turn = await worker.turn(2);
    under.faults.failNext(1, "error", ["range"]);
    await worker.completeTurn(turn, [given(child(1, "child", "c"), own)]);
    expect(await under.engine.get("c")).toBeUndefined();
    under.clock.advance(100);
    await worker.completeTurn(await worker.turn(3), [given(child(1, "child", "c"), own)]);
    expect(givenHistory((await worker.turn(4)).propagated)?.chunks).toHaveLength(1);
    await under.engine.close();
  });

  test("is asked for once when the answer comes twice while the history is read", async () => {
    const { under, worker } = await opened({ cache: "result" });
    await under.engine.start({ workflow: "parent", instanceId: "p" });
    await worker.completeTurn(await worker.turn(), [timer(0, 1_009_000)]);
    await under.engine.raiseEvent("p", "go");
    const turn = await worker.turn(2);
    const actions = [given(child(1, "child", "c"), own)];
    await Promise.all([1, 2].map(() => worker.completeTurn(turn, actions)));
    await worker.completeTurn(await worker.turn(3), [complete(0)]);
    await worker.turn(4);
    const created = kinds(await under.engine.history("p")).filter(
      (kind) => kind === "childWorkflowInstanceCreated",
    );
    expect(created).toHaveLength(1);
    await under.engine.close();
  });

  test("is asked for by nobody whose worker went while the history was read", async () => {
    const { under, worker } = await opened({ cache: "result" });
    await under.engine.start({ workflow: "parent", instanceId: "p" });
    await worker.completeTurn(await worker.turn(), [timer(0, 1_009_000)]);
    await under.engine.raiseEvent("p", "go");
    const turn = await worker.turn(2);
    const gate = under.faults.hold("range");
    const answered = worker.completeTurn(turn, [given(child(1, "child", "c"), own)]);
    while (gate.waiting() === 0) await tick();
    const other = under.connect({});
    worker.close();
    gate.release();
    await answered;
    const again = await other.turn();
    expect(kinds(again.events.map(({ event }) => event))).toEqual([
      "workflowStarted",
      "eventRaised",
    ]);
    await other.completeTurn(again, [complete(1)]);
    expect((await under.engine.get("p"))?.status).toBe("completed");
    expect(await under.engine.get("c")).toBeUndefined();
    await under.engine.close();
  });

  test("fails when it hands on too much of it before it is on disk", async () => {
    // The commit of a start waits for the turn that it brings about.
    const under = await EngineUnderTest.open({ commitWaitMs: 50 });
    const worker = under.connect({});
    const input = "x".repeat(limits.payloadBytes * 0.45);
    const asked = given(child(0, "grandchild", "g"), lineage);
    worker.onItem = (item) => {
      if (item.kind !== "turn") return;
      const isFirst = item.pastEventCount === 0;
      const childOf = { p: given(child(0, "child", "c", input), lineage), c: asked }[
        item.instanceId
      ];
      const actions = isFirst && childOf !== undefined ? [childOf] : [complete(9)];
      worker.completeTurn(item, actions).catch(() => {});
    };
    await under.engine.start({ workflow: "parent", instanceId: "p", input });
    expect(await under.engine.waitForCompletion("p")).toMatchObject({ status: "completed" });
    expect(await under.engine.get("c")).toMatchObject({
      status: "failed",
      failure: { type: "PayloadTooLarge" },
    });
    await under.engine.close();
  });

  test("hands on what it was given, and its own, also from disk", async () => {
    const { under, worker } = await opened();
    const turn = await withChild({ under, worker }, lineage);
    await worker.completeTurn(turn, [continueWith(0)]);
    const second = await worker.turn(3);
    const chunksOf = ({ propagated }: TurnItem) =>
      givenHistory(propagated)?.chunks.map(({ instanceId }) => instanceId);
    expect(chunksOf(second)).toEqual(["p", "c"]);
    await worker.completeTurn(second, [given(child(0, "grandchild", "g"), lineage)]);
    const third = await worker.turn(4);
    expect(chunksOf(third)).toEqual(["p", "c", "c"]);
    const after = await under.crash();
    const next = after.connect({});
    const again = await next.turn();
    expect(chunksOf(again)).toEqual(["p", "c", "c"]);
    await next.completeTurn(again, [timer(0, 1_009_000)]);
    const more = await after.crash();
    const last = more.connect({});
    await more.engine.raiseEvent("g", "go");
    await last.completeTurn(await last.turn(), [given(child(1, "last", "l"), lineage)]);
    expect(chunksOf(await last.turn(2))).toEqual(["p", "c", "c", "g"]);
    await more.engine.close();
  });

  test("counts what it was given into the size of its turns", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({ workflows: ["parent"] });
    under.connect({ workflows: ["child"], turnBytes: 2000 });
    await under.engine.start({ workflow: "parent", instanceId: "p", input: "x".repeat(2000) });
    await worker.completeTurn(await worker.turn(), [given(child(0, "child", "c"), own)]);
    await under.engine.idle();
    expect(await under.engine.get("c")).toMatchObject({
      status: "stalled",
      stallCode: "PAYLOAD_SIZE_EXCEEDED",
    });
    await under.engine.close();
  });

  test("fails its parent when it would be given more than a payload", async () => {
    const { under, worker } = await opened();
    const half = "x".repeat(limits.payloadBytes / 2);
    await under.engine.start({ workflow: "parent", instanceId: "p", input: half });
    await worker.completeTurn(await worker.turn(), [timer(0, 1_009_000)], { customStatus: "on" });
    await under.engine.raiseEvent("p", "go", half);
    await worker.completeTurn(await worker.turn(2), [given(child(1, "child", "c"), own)]);
    expect(await under.engine.get("p")).toMatchObject({
      status: "failed",
      failure: { type: "PayloadTooLarge" },
    });
    expect(await under.engine.get("c")).toBeUndefined();
    await under.engine.close();
  });
});
