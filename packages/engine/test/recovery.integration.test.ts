// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import {
  instanceIdOf,
  kindRange,
  liveKey,
  outboxKey,
  partitionCount,
  partitionOf,
  rowKey,
} from "../src/store/key.js";
import { type KeyRange, mark, put, type StoreWrite } from "../src/store/store.js";
import { problemsOf } from "../src/testing/check-store.js";
import type { Gate } from "../src/testing/fault-store.js";
import { schedule, sendEvent } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";

const rowKind = rowKey("")[2];

/** Ids of the rows that are read, and ranges that have rows in them. */
function watchRows(under: EngineUnderTest): { ids: string[]; scans: number } {
  const seen = { ids: [] as string[], scans: 0 };
  under.faults.onCall = (_, subject) => {
    if (subject instanceof Uint8Array) {
      if (subject[2] === rowKind) seen.ids.push(instanceIdOf(subject));
    } else if (isRange(subject) && subject.gte[2] === rowKind) {
      seen.scans += 1;
    }
  };
  return seen;
}

function isRange(subject: KeyRange | readonly StoreWrite[]): subject is KeyRange {
  return "gte" in subject;
}

/** Opens an engine after a crash; no instance can be read until the gate lets that go. */
async function openHeld(under: EngineUnderTest): Promise<{ after: EngineUnderTest; gate: Gate }> {
  const timerKind = kindRange("timer", 0).gte[2];
  let gate: Gate | undefined;
  under.faults.onCall = (_, subject) => {
    // The last that an opening looks for.
    if ("gte" in subject && subject.gte[2] === timerKind) gate ??= under.faults.hold("get");
  };
  const after = await under.crash();
  if (gate === undefined) throw new Error("no timers were looked for");
  return { after, gate };
}

/** Cuts the power once a message to another instance is on disk, before it is delivered. */
function cutAfterMessage({ faults }: EngineUnderTest): void {
  const outboxKind = kindRange("outbox", 0).gte[2];
  faults.onWritten = (batch) => {
    if (batch.some(({ type, key }) => type === "put" && key[2] === outboxKind)) faults.cut();
  };
}

async function untilCut({ faults }: EngineUnderTest): Promise<void> {
  while (!faults.isCut()) await nextTick();
  faults.onWritten = () => {};
}

describe("opening a store", () => {
  test("takes the mark of unfinished work off what has nothing to do", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, tasks });
    await under.engine.start({ workflow: "echo", instanceId: "a", input: "x" });
    await under.engine.waitForCompletion("a");
    await under.engine.close();
    const { behind } = under.faults;
    await behind.write([mark(liveKey("a"))]);
    const again = await under.reopen();
    await again.engine.idle();
    expect(await behind.get(liveKey("a"))).toBeUndefined();
    expect(await problemsOf(behind, again.clock.now())).toEqual([]);
    await again.engine.close();
  });

  test("reads the rows of instances with work at hand, and no others", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ workflows: Object.keys(flows), flows, tasks });
    const started: Promise<unknown>[] = [];
    for (let index = 0; index < 2000; index += 1) {
      started.push(under.engine.start({ workflow: "echo", instanceId: `ended-${index}` }));
    }
    for (let index = 0; index < 100; index += 1) {
      const input = `${9_000_000 + index}`;
      started.push(under.engine.start({ workflow: "sleep", instanceId: `asleep-${index}`, input }));
      started.push(
        under.engine.start({ workflow: "gather", instanceId: `waiting-${index}`, input: "1" }),
      );
    }
    started.push(
      under.engine.start({ workflow: "echo", instanceId: "delayed", startAt: 9_000_000 }),
    );
    await Promise.all(started);
    await under.engine.idle();
    for (let index = 0; index < 3; index += 1) {
      await under.engine.start({ workflow: "nobody's", instanceId: `busy-${index}` });
    }
    await under.engine.close();

    const calls = under.faults.callCount();
    const seen = watchRows(under);
    const after = await under.reopen();
    await after.engine.idle();
    expect(seen.ids.sort()).toEqual(["busy-0", "busy-1", "busy-2"]);
    expect(seen.scans).toBe(0);
    // One range for marks, messages and timers of each partition; a few reads for each busy one.
    expect(under.faults.callCount() - calls).toBeLessThan(partitionCount * 3 + 3 * 8);
    after.connect({ workflows: Object.keys(flows), flows });
    await after.runUntil(9_000_100);
    const ended = { statuses: ["completed"], workflow: "sleep", pageSize: 1000 } as const;
    expect((await after.engine.list(ended)).instances).toHaveLength(100);
    await after.engine.close();
  });

  test("takes up an activity, a message, a timer and a turn", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ workflows: Object.keys(flows), activities: [], flows });
    await under.engine.start({ workflow: "chain", instanceId: "activity", input: "x" });
    await under.engine.start({ workflow: "sleep", instanceId: "timer", input: "1000500" });
    await under.engine.waitForStart("activity");
    await under.engine.waitForStart("timer");
    cutAfterMessage(under);
    void under.engine.start({ workflow: "parent", instanceId: "message", input: "echo c hi" });
    await untilCut(under);
    const after = await under.crash();
    await after.engine.idle();
    expect(after.log).toContainEqual({
      level: "info",
      facts: { instances: 1, messages: 1, damaged: 0 },
      message: "unfinished work taken up",
    });
    after.connect({ flows, tasks });
    await after.engine.start({ workflow: "echo", instanceId: "turn" });
    await after.runUntil(1_000_500);
    for (const id of ["activity", "timer", "message", "turn", "c"]) {
      expect([id, (await after.engine.get(id))?.status]).toEqual([id, "completed"]);
    }
    await after.engine.close();
  });

  test("serves callers while unfinished work is taken up, and takes it up once", async () => {
    const under = await EngineUnderTest.open();
    const first = under.connect({});
    for (const [before, instanceId] of ["asked for", "not asked for"].entries()) {
      await under.engine.start({ workflow: "w", instanceId });
      const turn = await first.turn(before + 1);
      await first.completeTurn(turn, [schedule(0, "a"), schedule(1, "b")]);
    }
    const { after, gate } = await openHeld(under);
    expect(after.log).toEqual([]);
    const raised = after.engine.raiseEvent("asked for", "go");
    gate.release();
    await raised;
    const worker = after.connect({});
    await worker.activity(4);
    await worker.turn();
    const given = worker.activities.map(({ instanceId, name }) => `${instanceId}: ${name}`).sort();
    expect(given).toEqual(["asked for: a", "asked for: b", "not asked for: a", "not asked for: b"]);
    expect(worker.turns).toHaveLength(1);
    await after.engine.close();
  });

  test("closes while unfinished work is read", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const { after, gate } = await openHeld(under);
    while (gate.waiting() === 0) await nextTick();
    const closed = after.engine.close();
    gate.release();
    await closed;
    expect(after.log).toEqual([]);
  });

  test("goes on with the numbers of messages where it was", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ workflows: ["parent"], flows });
    cutAfterMessage(under);
    void under.engine.start({ workflow: "parent", instanceId: "p", input: "echo c1 one" });
    await untilCut(under);
    const outbox = kindRange("outbox", partitionOf("p"));
    expect(await under.faults.behind.range(outbox)).toHaveLength(1);
    const after = await under.crash();
    after.connect({ flows });
    await after.engine.start({ workflow: "parent", instanceId: "q", input: "echo c2 two" });
    expect((await after.engine.waitForCompletion("p")).output).toBe("child said one");
    expect((await after.engine.waitForCompletion("q")).output).toBe("child said two");
    await after.engine.close();
  });

  test("has memory for the instances that are at work, and not for those that have ended", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    for (let index = 0; index < 50; index += 1) {
      await under.engine.start({ workflow: "echo", instanceId: `a${index}` });
    }
    await under.engine.idle();
    const seen = watchRows(under);
    await Promise.all(Array.from({ length: 50 }, (_, index) => under.engine.get(`a${index}`)));
    expect(seen.ids).toHaveLength(50);
    await under.engine.close();
  });
});

test("messages after a restart do not take the place of those that wait", async () => {
  const waiting = async ({ faults }: EngineUnderTest): Promise<number> => {
    const range = kindRange("outbox", partitionOf("sender"));
    return (await faults.behind.range(range)).length;
  };
  const first = await EngineUnderTest.open();
  // Nothing can be delivered to a target that is damaged.
  const damaged = put(rowKey("target"), Buffer.from("no row"));
  await first.faults.behind.write([damaged]);
  const worker = first.connect({});
  await first.engine.start({ workflow: "w", instanceId: "sender" });
  await worker.completeTurn(await worker.turn(), [sendEvent(0, "target", "go", "one")]);
  await first.engine.idle();
  expect(await waiting(first)).toBe(1);
  const second = await first.crash();
  const next = second.connect({});
  await second.engine.raiseEvent("sender", "go");
  await next.completeTurn(await next.turn(), [sendEvent(1, "target", "go", "two")]);
  await second.engine.idle();
  expect(await waiting(second)).toBe(2);
  await second.engine.close();
});

test("messages find their way when their numbers begin anew", async () => {
  const under = await EngineUnderTest.open();
  await under.engine.close();
  // One that is damaged stays where it is.
  const last = outboxKey("sender", 0xffff_ffff);
  await under.faults.behind.write([put(last, Buffer.alloc(9, 0xff))]);
  const after = await under.reopen();
  after.connect({ flows, tasks });
  await after.engine.start({ workflow: "parent", instanceId: "p", input: "echo c x" });
  await after.engine.idle();
  expect((await after.engine.get("p"))?.output).toBe("child said x");
  await after.engine.close();
});
