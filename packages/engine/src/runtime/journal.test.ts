// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tick } from "../../test/manual-clock.js";
import { openMemoryStore } from "../store/memory-store.js";
import type { StoreWrite } from "../store/store.js";
import { changeOf } from "../store/store-key.js";
import { ChangeLog } from "./change-log.js";
import { systemClock } from "./clock.js";
import { type Dirty, Journal } from "./journal.js";

/** Something with so many changes, each under a key that begins with a number of its own. */
function dirty(number: number, count: number): Dirty {
  return {
    batch: undefined,
    draft(writes: StoreWrite[]) {
      for (let at = 0; at < count; at += 1) {
        const key = Buffer.from([0, number, at >>> 8, at & 255]);
        writes.push({ type: "put", key, value: Uint8Array.of(1) });
      }
      return {};
    },
  };
}

/** A counter, each of whose values is to be written. */
class Counter implements Dirty {
  batch = undefined;
  readonly number: number;
  readonly #told: string[];
  value = 0;
  written = 0;

  constructor(number: number, told: string[]) {
    this.number = number;
    this.#told = told;
  }

  draft(writes: StoreWrite[]) {
    const { value, number } = this;
    const key = Buffer.from([0, number]);
    writes.push({ type: "put", key, value: Uint8Array.of(value) });
    this.#told.push(`draft ${number} ${value}`);
    const committed = (): void => {
      this.#told.push(`effect ${number} ${value}`);
      this.written = value;
    };
    return { changedId: `c${number}`, committed };
  }
}

/** A journal whose batches take so many changes, over a disk that writes when it is told to. */
function journalOf(batchSize: number) {
  const told: string[] = [];
  /** What each counter is on the disk, and the numbers of the changes there. */
  const disk = new Map<number, number>();
  const changes: number[] = [];
  const pending: { readonly end: () => void; readonly fail: () => void }[] = [];
  const write = (batch: readonly StoreWrite[]): Promise<void> => {
    told.push("write");
    return new Promise((resolve, reject) => {
      const end = (): void => {
        for (const { key, ...change } of batch) {
          if (key[0] === 0xff) changes.push(changeOf(key));
          else if (change.type === "put") disk.set(key[1] ?? 0, change.value[0] ?? 0);
        }
        told.push("written");
        resolve();
      };
      pending.push({ end, fail: () => reject(new Error("the disk is gone")) });
    });
  };
  const range = () => Promise.resolve([]);
  const log = new ChangeLog({ range } as never, () => {});
  const failures: unknown[] = [];
  const pace = { batchSize, begun() {}, added() {}, ended() {} };
  const options = { clock: systemClock, commitWaitMs: 0, pace };
  const journal = new Journal({ write }, log, options, (error) => failures.push(error));
  return { journal, told, disk, changes, pending, failures, pace };
}

describe("Journal", () => {
  test("writes what one batch has no room for with the next, before it is acknowledged", async () => {
    const store = await openMemoryStore();
    const changes = new ChangeLog(store, () => {});
    const journal = new Journal(store, changes, { clock: systemClock, commitWaitMs: 0 }, () => {});
    const all = [1, 2, 3].map((number) => dirty(number, 6000));
    await Promise.all(all.map((one) => journal.commit(one, true)));
    const stored = await store.range({ gte: Buffer.from([0, 1]), lt: Buffer.from([0, 4]) });
    expect(stored).toHaveLength(18_000);
    expect(journal.commitCount()).toBe(2);
    expect(journal.isIdle()).toBe(true);
    await store.close();
  });

  test("makes a full batch ready while another is written, and writes it before it tells of that one", async () => {
    const { journal, told, pending } = journalOf(1);
    void journal.commit(new Counter(1, told), true);
    await tick();
    void journal.commit(new Counter(2, told), true);
    await tick();
    expect(told).toEqual(["draft 1 0", "write", "draft 2 0"]);
    pending[0]?.end();
    await tick();
    const after = ["written", "write", "effect 1 0"];
    expect(told).toEqual(["draft 1 0", "write", "draft 2 0", ...after]);
  });

  test("does not acknowledge what a batch had no room for with what it had", async () => {
    const { journal, told, pending, pace } = journalOf(4);
    const wide = [1, 2, 3].map((number) => dirty(number, 6000));
    const done: number[] = [];
    for (const [at, one] of wide.entries()) {
      void journal.commit(one, true).then(() => done.push(at));
    }
    await tick();
    pace.batchSize = 1;
    void journal.commit(new Counter(4, told), true);
    await tick();
    pending[0]?.end();
    await tick();
    expect(done).toEqual([]);
    pending[1]?.end();
    await tick();
    expect(done).toEqual([0, 1, 2]);
  });

  test("tells of a batch without writes after the one before it", async () => {
    const { journal, told, pending } = journalOf(1);
    void journal.commit(new Counter(1, told), true);
    await tick();
    const empty: Dirty = {
      draft: () => ({ committed: () => void told.push("effect of nothing") }),
    };
    void journal.commit(empty, true);
    await tick();
    pending[0]?.end();
    await tick();
    expect(told.slice(-2)).toEqual(["effect 1 0", "effect of nothing"]);
  });

  test("does nothing about a write that ends after changes could not be taken", async () => {
    const { journal, told, pending, failures } = journalOf(1);
    const first = journal.commit(new Counter(1, told), true);
    await tick();
    const broken: Dirty = {
      draft() {
        throw new Error("the inbox has a hole");
      },
    };
    const commits = Promise.allSettled([first, journal.commit(broken, true)]);
    await tick();
    pending[0]?.end();
    const reason = new Error("the inbox has a hole");
    const rejected = { status: "rejected", reason };
    expect(await commits).toEqual([rejected, rejected]);
    expect(failures).toEqual([reason]);
    expect(told).toEqual(["draft 1 0", "write", "written"]);
    expect(journal.commitCount()).toBe(0);
  });

  test("tells those who wait for any batch of a failed write, and writes no more", async () => {
    const { journal, told, pending, failures } = journalOf(1);
    const commits = [1, 2, 3].map((number) => journal.commit(new Counter(number, told), true));
    const settled = Promise.allSettled(commits);
    await tick();
    pending[0]?.fail();
    expect((await settled).map(({ status }) => status)).toEqual([
      "rejected",
      "rejected",
      "rejected",
    ]);
    expect(failures).toHaveLength(1);
    expect(pending).toHaveLength(1);
    expect(journal.isIdle()).toBe(true);
    await expect(journal.commit(new Counter(4, told), true)).rejects.toThrow("the disk is gone");
  });

  test("acknowledges what is on disk, numbers changes without gaps, in any order of events", async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.nat({ max: 5 }) },
      { weight: 2, arbitrary: fc.constant("end" as const) },
      { weight: 1, arbitrary: fc.constant("tick" as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), check),
    );

    async function check(steps: (number | "end" | "tick")[], batchSize: number): Promise<void> {
      const { journal, told, disk, changes, pending } = journalOf(batchSize);
      const counters = [0, 1, 2, 3, 4, 5].map((number) => new Counter(number, told));
      const acknowledged: Promise<void>[] = [];
      const end = async (): Promise<void> => {
        const before = new Map(disk);
        pending.shift()?.end();
        await tick();
        for (const [number, value] of before)
          expect(disk.get(number)).toBeGreaterThanOrEqual(value);
      };
      for (const next of steps) {
        if (next === "end") await end();
        else if (next === "tick") await tick();
        else {
          const counter = counters[next];
          if (counter === undefined) continue;
          counter.value += 1;
          const { value } = counter;
          const durable = journal.commit(counter, true);
          acknowledged.push(
            durable.then(() => {
              expect(disk.get(next)).toBeGreaterThanOrEqual(value);
              expect(counter.written).toBeGreaterThanOrEqual(value);
            }),
          );
        }
      }
      while (!journal.isIdle()) await end();
      await Promise.all(acknowledged);
      for (const { number, value } of counters) expect(disk.get(number) ?? 0).toBe(value);
      expect(changes).toEqual(changes.map((_, index) => index + 1));
      expect(told.filter((line) => line === "write")).toHaveLength(journal.commitCount());
    }
  });
});
