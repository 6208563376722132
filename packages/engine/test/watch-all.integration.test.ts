// SPDX-License-Identifier: Apache-2.0

import type { FeedItem, Instance, InstanceFilter } from "@pawl/protocol/port";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Waiters } from "../src/runtime/read/waiters.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import { Watcher } from "./watch/watcher.js";

/** Counts those who listen to all instances, in this test. */
function countListeners(): () => number {
  const { addWatcher } = Waiters.prototype;
  const listening = new Set<() => void>();
  const spy = vi.spyOn(Waiters.prototype, "addWatcher");
  onTestFinished(() => spy.mockRestore());
  spy.mockImplementation(function (this: Waiters, watcher) {
    const stop = addWatcher.call(this, watcher);
    listening.add(watcher);
    return () => {
      listening.delete(watcher);
      stop();
    };
  });
  return () => listening.size;
}

/** A token in the middle of a scan. */
function tokenAt(scan: Readonly<Record<string, unknown>>): string {
  return Buffer.from(JSON.stringify({ change: 0, taken: 0, scan })).toString("base64url");
}

/** What a list of items says, in short. */
function told(items: readonly FeedItem[]): string[] {
  return items.map((item) => {
    if (item.kind === "changed") return `${item.instance.instanceId} ${item.instance.status}`;
    return item.kind === "purged" ? `${item.instanceId} purged` : item.kind;
  });
}

describe("watchAll()", () => {
  test("gives each instance that a commit changes, from now on", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "w", instanceId: "before" });
    const watcher = await Watcher.caughtUp(under);
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await watcher.next();
    await under.engine.terminate("a");
    await watcher.next();
    expect(told(watcher.items)).toEqual(["caughtUp", "a pending", "a terminated"]);
    await watcher.leave();
    await under.engine.close();
  });

  test("gives first what there is, where it is asked for", async () => {
    const under = await EngineUnderTest.open();
    for (let index = 0; index < 300; index += 1) {
      await under.engine.start({ workflow: "w", instanceId: `a${index}` });
    }
    const watcher = await Watcher.caughtUp(under, {}, { existing: true });
    const ids = told(watcher.items).slice(0, -1).sort();
    expect(ids).toEqual(Array.from({ length: 300 }, (_, i) => `a${i} pending`).sort());
    await watcher.leave();
    await under.engine.close();
  });

  test("gives once what changes while it reads what there is", async () => {
    const under = await EngineUnderTest.open();
    const ids = Array.from({ length: 300 }, (_, index) => `a${index}`);
    for (const id of ids) await under.engine.start({ workflow: "w", instanceId: id });
    const watcher = new Watcher(under, {}, { existing: true });
    await watcher.next();
    for (const id of ids) await under.engine.terminate(id);
    await watcher.until("caughtUp");
    const ended = told(watcher.items).filter((line) => line.endsWith("terminated"));
    expect(ended.sort()).toEqual(ids.map((id) => `${id} terminated`).sort());
    await watcher.leave();
    await under.engine.close();
  });

  test("gives several changes that the reader has not taken as one: the newest", async () => {
    const under = await EngineUnderTest.open();
    const watcher = await Watcher.caughtUp(under);
    under.connect({ flows, tasks });
    await under.engine.start({ workflow: "chain", instanceId: "a", input: "x" });
    await under.engine.waitForCompletion("a");
    await watcher.next();
    expect(told(watcher.items)).toEqual(["caughtUp", "a completed"]);
    await watcher.leave();
    await under.engine.close();
  });

  test("takes only what the filter takes", async () => {
    const under = await EngineUnderTest.open();
    const filter = { workflow: "w", instanceIdPrefix: "x-", tags: { t: "1" } };
    const watcher = await Watcher.caughtUp(under, { ...filter, statuses: ["pending"] });
    const start = (workflow: string, instanceId: string, t: string) =>
      under.engine.start({ workflow, instanceId, tags: { t } });
    await start("other", "x-1", "1");
    await start("w", "y-2", "1");
    await start("w", "x-3", "2");
    await start("w", "x-4", "1");
    await under.engine.terminate("x-4");
    await start("w", "x-5", "1");
    await watcher.next();
    expect(told(watcher.items)).toEqual(["caughtUp", "x-5 pending"]);
    await watcher.leave();
    await under.engine.close();
  });

  test("takes what a list with the same filter has", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ workflows: ["echo"], flows });
    for (let index = 0; index < 12; index += 1) {
      const tags = { team: index % 3 === 0 ? "blue" : `red-${index}` };
      const workflow = index % 2 === 0 ? "echo" : "other";
      await under.engine.start({ workflow, instanceId: `a${index}`, input: "x", tags });
    }
    await under.engine.idle();
    const filters: InstanceFilter[] = [
      { tagPrefixes: { team: "red-" } },
      { createdFrom: 0, createdBefore: 1 },
      { parentInstanceId: "nobody" },
      { where: { field: "tag", tag: "team", op: "neq", value: "blue" } },
      {
        where: {
          any: [
            { field: "status", op: "eq", value: "completed" },
            { field: "instanceId", op: "in", value: ["a1", "a2", "nobody"] },
          ],
        },
      },
    ];
    for (const filter of filters) {
      const watcher = await Watcher.caughtUp(under, filter, { existing: true });
      const listed = (await under.engine.list(filter)).instances;
      const seen = watcher.items.flatMap((item) =>
        item.kind === "changed" ? [item.instance] : [],
      );
      const ids = (instances: readonly Instance[]) =>
        instances.map(({ instanceId }) => instanceId).sort();
      expect(ids(seen)).toEqual(ids(listed));
      await watcher.leave();
    }
    await under.engine.close();
  });

  test("tells of the purges that the filter may mean by their ids", async () => {
    const under = await EngineUnderTest.open();
    const filter: InstanceFilter = {
      where: { field: "instanceId", op: "in", value: ["a", "b"] },
    };
    const watcher = await Watcher.caughtUp(under, filter);
    for (const id of ["c", "a"]) {
      await under.engine.start({ workflow: "w", instanceId: id });
      await under.engine.purge(id, { force: true });
    }
    await watcher.until("purged");
    expect(told(watcher.items)).toEqual(["caughtUp", "a purged"]);
    await watcher.leave();
    await under.engine.close();
  });

  test("refuses what is no filter", async () => {
    const under = await EngineUnderTest.open();
    await expect(new Watcher(under, { createdFrom: Number.NaN }).next()).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    await under.engine.close();
  });

  test("tells of purges, also of those while the watcher was away", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const watcher = await Watcher.caughtUp(under, {}, { existing: true });
    await watcher.leave();
    await under.engine.purge("a", { force: true });
    const again = new Watcher(under, {}, { resumeToken: watcher.token });
    expect(told([await again.next()])).toEqual(["a purged"]);
    await again.leave();
    await under.engine.close();
  });

  test("tells a purge once, however many changes before it were missed", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows, tasks });
    const watcher = await Watcher.caughtUp(under);
    await watcher.leave();
    await under.engine.start({ workflow: "chain", instanceId: "a", input: "x" });
    await under.engine.waitForCompletion("a");
    await under.engine.purge("a");
    await under.engine.start({ workflow: "chain", instanceId: "b", input: "x" });
    await under.engine.waitForCompletion("b");
    await under.engine.purge("b");
    await under.engine.start({ workflow: "none", instanceId: "end" });
    const again = await under.crash();
    const resumed = new Watcher(again, {}, { resumeToken: watcher.token });
    await resumed.until("changed");
    expect(told(resumed.items)).toEqual(["a purged", "b purged", "end pending"]);
    await resumed.leave();
    await again.engine.close();
  });

  test("goes on in the middle of a commit", async () => {
    const under = await EngineUnderTest.open();
    let watcher = await Watcher.caughtUp(under);
    const ids = ["a", "b", "c", "d"];
    await Promise.all(ids.map((instanceId) => under.engine.start({ workflow: "w", instanceId })));
    const lines: string[] = [];
    for (const _ of ids) {
      lines.push(...told([await watcher.next()]));
      await watcher.leave();
      watcher = new Watcher(under, {}, { resumeToken: watcher.token });
    }
    await watcher.leave();
    expect(lines.sort()).toEqual(ids.map((id) => `${id} pending`));
    await under.engine.close();
  });

  test("goes on after a read that failed, though nothing changes any more", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "w", instanceId: "a" });
    under.faults.failNext(1, "error", ["range"]);
    const watcher = await Watcher.caughtUp(under, {}, { existing: true });
    expect(told(watcher.items)).toEqual(["a pending", "caughtUp"]);
    await watcher.leave();
    await under.engine.close();
  });

  test("goes on after its token in another life of the engine", async () => {
    const under = await EngineUnderTest.open();
    const watcher = await Watcher.caughtUp(under);
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await watcher.next();
    await watcher.leave();
    await under.engine.start({ workflow: "w", instanceId: "b" });
    const again = await under.crash();
    const resumed = new Watcher(again, {}, { resumeToken: watcher.token });
    expect(told([await resumed.next()])).toEqual(["b pending"]);
    await resumed.leave();
    await again.engine.close();
  });

  test("leaves nobody listening when it is refused", async () => {
    const listeners = countListeners();
    const under = await EngineUnderTest.open();
    const refused = new Watcher(under, {}, { resumeToken: "none" });
    await expect(refused.next()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(listeners()).toBe(0);
    await under.engine.close();
  });

  test("leaves nobody listening when its caller goes and asks no more", async () => {
    const listeners = countListeners();
    const under = await EngineUnderTest.open();
    const gone = new AbortController();
    await under.engine.watchAll({}, { signal: gone.signal })[Symbol.asyncIterator]().next();
    expect(listeners()).toBe(1);
    gone.abort();
    expect(listeners()).toBe(0);
    await under.engine.close();
  });

  test("scans for what changed when its token is older than the log", async () => {
    const under = await EngineUnderTest.open();
    const watcher = await Watcher.caughtUp(under);
    await under.engine.start({ workflow: "w", instanceId: "old" });
    await watcher.until("changed");
    await watcher.leave();
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await under.engine.start({ workflow: "w", instanceId: "b" });
    // Longer than the log: 8,192 entries, trimmed 512 at a time.
    for (let index = 0; index < 4_500; index += 1) {
      await under.engine.start({ workflow: "w", instanceId: "passing" });
      await under.engine.purge("passing", { force: true });
    }
    const resumed = await Watcher.caughtUp(under, {}, { resumeToken: watcher.token });
    expect(told(resumed.items).sort()).toEqual(["a pending", "b pending", "caughtUp", "resynced"]);
    await resumed.leave();
    await under.engine.close();
  });

  test.each([
    "",
    "x",
    "e30",
    "eyJjaGFuZ2UiOjk5LCJ0YWtlbiI6MH0",
    tokenAt({ since: 0, after: "AA" }),
    tokenAt({ since: 0, after: "____" }),
    tokenAt({ since: 0, after: "AAA" }),
  ])("refuses a token that is none of this store: %j", async (resumeToken) => {
    const under = await EngineUnderTest.open();
    const watcher = new Watcher(under, {}, { resumeToken });
    await expect(watcher.next()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await under.engine.close();
  });

  test("ends with CANCELLED and SHUTTING_DOWN", async () => {
    const under = await EngineUnderTest.open();
    const controller = new AbortController();
    const aborted = under.engine.watchAll({}, { signal: controller.signal });
    const closed = under.engine.watchAll()[Symbol.asyncIterator]();
    await closed.next();
    controller.abort();
    await expect(aborted[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: "CANCELLED",
    });
    const waiting = closed.next();
    await under.engine.close();
    await expect(waiting).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
  });
});
