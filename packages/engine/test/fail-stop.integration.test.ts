// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Engine } from "../src/engine.js";
import { EngineError } from "../src/errors.js";
import { resolveOptions } from "../src/options.js";
import { kindRange, rowKey } from "../src/store/key.js";
import { openMemoryStore } from "../src/store/memory-store.js";
import { put, type Store } from "../src/store/store.js";
import { problemsOf } from "../src/testing/check-store.js";
import type { Gate } from "../src/testing/fault-store.js";
import { complete, sendEvent, timer } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { tick } from "./manual-clock.js";
import { EngineUnderTest } from "./open-engine.js";

const unavailable = { code: "STORE_UNAVAILABLE" };

/** Lets time go on until something is so. */
async function passTime({ clock }: EngineUnderTest, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await nextTick();
    clock.advance(10);
  }
}

describe("after a failed write", () => {
  test("the engine is not ready, callers are told, and the store is closed and opened again", async () => {
    const under = await EngineUnderTest.open();
    const { engine, faults } = under;
    const changes: boolean[] = [];
    engine.onReadyChange((ready) => changes.push(ready));
    expect(engine.isReady()).toBe(true);
    faults.failNext(1, "error", ["write"]);
    faults.failOpens(1);
    const again = under.untilReady();
    await expect(engine.start({ workflow: "echo", instanceId: "a" })).rejects.toMatchObject(
      unavailable,
    );
    expect(engine.isReady()).toBe(false);
    await expect(engine.start({ workflow: "echo" })).rejects.toMatchObject(unavailable);
    await expect(engine.raiseEvent("a", "go")).rejects.toMatchObject(unavailable);
    await expect(engine.get("a")).rejects.toMatchObject(unavailable);
    await expect(engine.list()).rejects.toMatchObject(unavailable);
    await expect(engine.purge("a")).rejects.toMatchObject(unavailable);
    await expect(
      engine.completeTurn({ instanceId: "a", token: "", actions: [] }),
    ).rejects.toMatchObject(unavailable);
    await passTime(under, () => engine.isReady());
    await again;
    expect(changes).toEqual([false, true]);
    expect(faults.openCount()).toBe(3);
    expect(await engine.get("a")).toBeUndefined();
    await engine.start({ workflow: "echo", instanceId: "a" });
    await engine.close();
    expect(engine.isReady()).toBe(false);
  });

  test("everybody whose writes were in it, or after it, is told", async () => {
    const under = await EngineUnderTest.open();
    const gate = under.faults.hold("write");
    under.faults.failNext(1, "error", ["write"]);
    const first = under.engine.start({ workflow: "w", instanceId: "1" });
    while (gate.waiting() === 0) await tick();
    const second = under.engine.start({ workflow: "w", instanceId: "2" });
    const both = Promise.allSettled([first, second]);
    const again = under.untilReady();
    gate.release();
    for (const answer of await both) {
      expect(answer).toMatchObject({ status: "rejected", reason: unavailable });
    }
    await again;
    expect((await under.engine.list()).instances).toEqual([]);
    await under.engine.close();
  });

  test("no message passes one whose target could not be read", async () => {
    const under = await EngineUnderTest.open();
    const { engine, faults } = under;
    const worker = under.connect({});
    await engine.start({ workflow: "w", instanceId: "target" });
    await worker.completeTurn(await worker.turn(), []);
    await engine.start({ workflow: "w", instanceId: "sender" });
    const turn = await worker.turn(2);
    let isBack = false;
    void under.untilReady().then(() => {
      isBack = true;
    });
    const row = rowKey("target");
    const timerKind = kindRange("timer", 0).gte[2];
    let gate: Gate | undefined;
    // The messages are on disk. Their delivery fails, and that of the first once more while the store is opened.
    faults.onWritten = () => {
      faults.onWritten = () => {};
      faults.failNext(1, "error", ["write"]);
      faults.onCall = (_, subject) => {
        if ("gte" in subject && subject.gte[2] === timerKind) gate ??= faults.hold("range");
        if (!(subject instanceof Uint8Array) || Buffer.compare(subject, row) !== 0) return;
        faults.onCall = () => {};
        faults.failNext(1, "error", ["get"]);
      };
    };
    const names = ["first", "second", "third"];
    await worker.completeTurn(
      turn,
      names.map((name, id) => sendEvent(id, "target", name)),
    );
    await passTime(under, () => gate !== undefined);
    for (let ticks = 0; ticks < 100; ticks += 1) await tick();
    gate?.release();
    await passTime(under, () => isBack);
    const read = async () => (await engine.explain("target"))?.inbox ?? [];
    while ((await read()).length < names.length) await tick();
    expect(await read()).toMatchObject(names.map((name) => ({ name })));
    expect(faults.openCount()).toBe(3);
    await engine.close();
  });

  test("workers that stayed connected go on, and everything finishes", async () => {
    const under = await EngineUnderTest.open();
    for (let index = 0; index < 20; index += 1) {
      await under.engine.start({ workflow: "chain", instanceId: `a${index}`, input: "x" });
    }
    const waiting = Array.from({ length: 20 }, (_, index) =>
      under.engine.waitForCompletion(`a${index}`),
    );
    under.faults.failNext(2, "error", ["write"]);
    under.faults.failNext(4, "error-after", ["write"]);
    under.faults.failNext(6, "error", ["write"]);
    const worker = under.connect({ flows, tasks });
    let isDone = false;
    const done = Promise.all(waiting).finally(() => {
      isDone = true;
    });
    await passTime(under, () => isDone);
    for (const ended of await done) expect(ended.output).toBe("x".repeat(8));
    expect(under.engine.workerCount()).toBe(1);
    expect(worker.session.workerId).toBeTruthy();
    expect(under.faults.openCount()).toBe(4);
    await under.engine.idle();
    expect(await problemsOf(under.faults.behind, under.clock.now())).toEqual([]);
    await under.engine.close();
  });

  test("a store that opens well and fails again and again is opened with growing pauses", async () => {
    const under = await EngineUnderTest.open();
    const { engine, faults, clock } = under;
    await engine.start({ workflow: "w", instanceId: "a" });
    // The first thing that is read of the unfinished work fails each time.
    const row = rowKey("a");
    faults.onCall = (_, subject) => {
      const isRow = subject instanceof Uint8Array && Buffer.compare(subject, row) === 0;
      if (isRow) faults.failNext(1, "error", ["get"]);
    };
    faults.failNext(1, "error", ["write"]);
    const opens = faults.openCount();
    await expect(engine.raiseEvent("a", "go")).rejects.toMatchObject(unavailable);
    const opened: number[] = [];
    for (const passMs of [0, 100, 200, 400, 800, 1000, 1000, 1000]) {
      if (passMs > 1) clock.advance(passMs - 1);
      for (let ticks = 0; ticks < 100; ticks += 1) await tick();
      opened.push(faults.openCount() - opens);
      if (passMs > 0) clock.advance(1);
      for (let ticks = 0; ticks < 100; ticks += 1) await tick();
    }
    // None comes a millisecond before its time, and one does at it.
    expect(opened).toEqual([1, 1, 2, 3, 4, 5, 6, 7]);
    faults.onCall = () => {};
    await passTime(under, () => engine.isReady());
    expect((await engine.get("a"))?.status).toBe("pending");
    const said = under.log.filter(({ message }) => message.includes("is being reopened"));
    expect(said.length).toBeLessThan(opened.length);
    await engine.close();
  });

  test("turns of before are stale, and come again with new tokens", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const lost = await worker.turn();
    const again = under.untilReady();
    under.faults.failNext(1, "error", ["write"]);
    await expect(under.engine.raiseEvent("a", "go")).rejects.toMatchObject(unavailable);
    await again;
    const newest = await worker.turn(2);
    expect(newest.token).not.toBe(lost.token);
    await worker.completeTurn(lost, [complete(0, '"stale"')]);
    await worker.completeTurn(newest, [complete(0, '"right"')]);
    expect((await under.engine.get("a"))?.output).toBe('"right"');
    await under.engine.close();
  });

  test("a wait is told of what took effect though its write failed", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const waiting = under.engine.waitForCompletion("a");
    const watching = (async () => {
      const seen: string[] = [];
      for await (const { instance } of under.engine.watch("a")) seen.push(instance.status);
      return seen;
    })();
    const turn = await worker.turn();
    under.faults.failNext(1, "error-after", ["write"]);
    await expect(worker.completeTurn(turn, [complete(0)])).rejects.toMatchObject(unavailable);
    expect((await waiting).status).toBe("completed");
    expect((await watching).at(-1)).toBe("completed");
    await under.engine.close();
  });

  test("a wait is told of it, too, when that cannot be read at first", async () => {
    const under = await EngineUnderTest.open();
    const { engine, faults } = under;
    const worker = under.connect({});
    await engine.start({ workflow: "w", instanceId: "a" });
    const waiting = engine.waitForCompletion("a");
    const turn = await worker.turn();
    faults.failNext(1, "error-after", ["write"]);
    faults.onCall = (call, subject) => {
      if (call !== "get" || !(subject instanceof Uint8Array)) return;
      if (Buffer.compare(subject, rowKey("a")) !== 0) return;
      faults.onCall = () => {};
      faults.failNext(1, "error", ["get"]);
    };
    await expect(worker.completeTurn(turn, [complete(0)])).rejects.toMatchObject(unavailable);
    let isTold = false;
    const told = waiting.finally(() => {
      isTold = true;
    });
    await passTime(under, () => isTold);
    expect((await told).status).toBe("completed");
    await engine.close();
  });

  test("who waits for an instance that turns out to be damaged is told so", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ workflows: [] });
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const damaged = { code: "INSTANCE_DAMAGED" };
    const waiting = expect(under.engine.waitForCompletion("a")).rejects.toMatchObject(damaged);
    const changes = under.engine.watch("a")[Symbol.asyncIterator]();
    await changes.next();
    const watching = expect(changes.next()).rejects.toMatchObject(damaged);
    under.faults.failNext(1, "error", ["write"]);
    await expect(under.engine.start({ workflow: "w" })).rejects.toMatchObject(unavailable);
    await under.faults.behind.write([put(rowKey("a"), Buffer.alloc(9, 0xff))]);
    await passTime(under, () => under.engine.isReady());
    await Promise.all([waiting, watching]);
    await under.engine.close();
  });

  test("a second failure, while work is taken up, does not end the trying", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.turn();
    await under.engine.terminate("a");
    // Recovery ends the instance before it hears of workers, and so has to write itself.
    under.faults.failNext(1, "error", ["write"]);
    under.faults.failNext(2, "error", ["write"]);
    const ended = under.engine.waitForCompletion("a");
    await expect(under.engine.start({ workflow: "w" })).rejects.toMatchObject(unavailable);
    await passTime(under, () => under.engine.isReady());
    expect((await ended).status).toBe("terminated");
    await under.engine.idle();
    expect(under.faults.openCount()).toBe(3);
    expect(under.engine.isReady()).toBe(true);
    await under.engine.start({ workflow: "w", instanceId: "b" });
    await under.engine.close();
  });

  test("a failure while work is taken up for the first time has the store opened again", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.turn();
    await under.engine.terminate("a");
    under.faults.cut();
    under.faults.restore();
    under.faults.failNext(1, "error", ["write"]);
    const after = await under.reopen();
    expect((await after.engine.waitForCompletion("a")).status).toBe("terminated");
    expect(after.log.map(({ message }) => message)).toContain("the store is open again");
    await after.engine.close();
  });

  test("a failure as soon as the store is open again has it opened once more", async () => {
    const behind = await openMemoryStore();
    const { range, get } = { range: behind.range.bind(behind), get: behind.get.bind(behind) };
    let opened = 0;
    let failing = 0;
    const write: Store["write"] = (batch) => {
      if (failing === 0) return behind.write(batch);
      failing -= 1;
      return Promise.reject(new EngineError("STORE_UNAVAILABLE", "no write"));
    };
    const openStore = async (): Promise<Store> => {
      opened += 1;
      return { range, get, write, snapshot: () => behind.snapshot(), close: async () => {} };
    };
    const engine = new Engine(resolveOptions({ commitWaitMs: 0 }), openStore);
    await engine.open();
    await engine.start({ workflow: "w", instanceId: "a" });
    failing = 2;
    // One that answers at once.
    engine.connectWorker({ name: "quick" }, ({ token }) => {
      engine.completeTurn({ instanceId: "a", token, actions: [complete(0)] }).catch(() => {});
    });
    expect((await engine.waitForCompletion("a")).status).toBe("completed");
    expect(opened).toBe(3);
    await engine.close();
  });

  test("opening is tried again and again, with growing pauses, until it works", async () => {
    const under = await EngineUnderTest.open();
    under.faults.failOpens(4);
    under.faults.failNext(1, "error", ["write"]);
    await expect(under.engine.start({ workflow: "w" })).rejects.toMatchObject(unavailable);
    for (const waitMs of [100, 200, 400, 800]) {
      while (under.clock.alarmCount() < 1) await nextTick();
      under.clock.advance(waitMs - 1);
      expect(under.clock.alarmCount()).toBe(1);
      expect(under.engine.isReady()).toBe(false);
      under.clock.advance(1);
    }
    await passTime(under, () => under.engine.isReady());
    const waits = under.log.flatMap(({ facts }) => facts.waitMs ?? []);
    expect(waits).toEqual([100, 200, 400, 800]);
    await under.engine.close();
  });

  test("closing ends the trying", async () => {
    const under = await EngineUnderTest.open();
    under.faults.failNext(1, "error", ["write"]);
    await expect(under.engine.start({ workflow: "w" })).rejects.toMatchObject(unavailable);
    await under.engine.close();
    expect(under.engine.isReady()).toBe(false);
    await expect(under.engine.start({ workflow: "w" })).rejects.toMatchObject({
      code: "SHUTTING_DOWN",
    });
  });
});

describe("close()", () => {
  test("refuses everything from then on, and may be called twice", async () => {
    const under = await EngineUnderTest.open();
    const { engine } = under;
    const closing = engine.close();
    const refusal = { code: "SHUTTING_DOWN" };
    await expect(engine.start({ workflow: "w" })).rejects.toMatchObject(refusal);
    expect(() => engine.connectWorker({ name: "late" }, () => {})).toThrow(
      expect.objectContaining(refusal),
    );
    await closing;
    await engine.close();
    await expect(engine.get("a")).rejects.toMatchObject(refusal);
  });

  test("is no failure of the store for a message that is on its way", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "target" });
    await worker.completeTurn(await worker.turn(), [timer(0, 9_000_000)]);
    await under.engine.start({ workflow: "w", instanceId: "sender" });
    const turn = await worker.turn(2);
    const gate = under.faults.hold("get");
    await worker.completeTurn(turn, [sendEvent(0, "target", "go")]);
    while (gate.waiting() === 0) await tick();
    await under.engine.close();
    gate.release();
    for (let ticks = 0; ticks < 20; ticks += 1) await tick();
    expect(under.log.filter(({ level }) => level === "error")).toEqual([]);
    const after = await under.reopen();
    await after.engine.idle();
    expect(await after.engine.explain("target")).toMatchObject({ inbox: [{ name: "go" }] });
    await after.engine.close();
  });

  test("writes what is under way first", async () => {
    const under = await EngineUnderTest.open({ commitWaitMs: 1000 });
    const gate = under.faults.hold("write");
    const started = under.engine.start({ workflow: "w", instanceId: "a" });
    while (gate.waiting() === 0) await tick();
    const raised = under.engine.raiseEvent("a", "go");
    const closed = under.engine.close();
    gate.release();
    await Promise.all([started, raised.catch(() => {}), closed]);
    const after = await under.reopen();
    expect((await after.engine.get("a"))?.status).toBe("pending");
    await after.engine.close();
  });
});
