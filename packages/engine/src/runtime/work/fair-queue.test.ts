// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FairQueue } from "./fair-queue.js";

/** Takes everything, in the order in which it is offered. */
function takeAll<T>(queue: FairQueue<T>): T[] {
  const taken: T[] = [];
  queue.drain((item) => taken.push(item) > 0);
  return taken;
}

/** Takes one item at most. */
function takeOne<T>(queue: FairQueue<T>): T | undefined {
  let taken: T | undefined;
  queue.drain((item) => {
    if (taken !== undefined) return false;
    taken = item;
    return true;
  });
  return taken;
}

describe("FairQueue", () => {
  test("gives items of one name in their order", () => {
    const queue = new FairQueue<number>();
    for (const item of [1, 2, 3]) queue.push("a", item);
    expect(queue.size).toBe(3);
    expect(takeAll(queue)).toEqual([1, 2, 3]);
    expect(queue.size).toBe(0);
  });

  test("lets names take turns", () => {
    const queue = new FairQueue<string>();
    for (const item of ["a1", "a2", "a3"]) queue.push("a", item);
    for (const item of ["b1", "b2"]) queue.push("b", item);
    expect(takeAll(queue)).toEqual(["a1", "b1", "a2", "b2", "a3"]);
  });

  test("lets names take turns from one call to the next", () => {
    const queue = new FairQueue<string>();
    for (const item of ["a1", "a2", "a3"]) queue.push("a", item);
    for (const item of ["b1", "b2"]) queue.push("b", item);
    const taken = [1, 2, 3, 4, 5, 6].map(() => takeOne(queue));
    expect(taken).toEqual(["a1", "b1", "a2", "b2", "a3", undefined]);
  });

  test("keeps what is refused in its place, and goes on with other names", () => {
    const queue = new FairQueue<string>();
    for (const item of ["a1", "a2"]) queue.push("a", item);
    queue.push("b", "b1");
    const offered: string[] = [];
    queue.drain((item) => {
      offered.push(item);
      return item.startsWith("b");
    });
    expect(offered).toEqual(["a1", "b1"]);
    expect(queue.size).toBe(2);
    expect(takeAll(queue)).toEqual(["a1", "a2"]);
  });

  test("puts an item to the front on demand", () => {
    const queue = new FairQueue<number>();
    queue.push("a", 2);
    queue.push("a", 1, true);
    queue.push("a", 3);
    expect(takeAll(queue)).toEqual([1, 2, 3]);
  });

  test("skips what was dropped", () => {
    const queue = new FairQueue<{ n: number }>();
    const items = [1, 2, 3].map((n) => ({ n }));
    for (const item of items) queue.push("a", item);
    for (const item of items.slice(0, 2)) queue.drop(item);
    expect(queue.size).toBe(1);
    expect(takeAll(queue)).toEqual([{ n: 3 }]);
  });

  test("keeps little of what was dropped", () => {
    const queue = new FairQueue<{ n: number }>();
    const kept = { n: -1 };
    queue.push("kept", kept);
    for (let n = 0; n < 10_000; n += 1) {
      const item = { n };
      queue.push(`name ${n % 7}`, item);
      queue.drop(item);
    }
    expect(queue.size).toBe(1);
    let offers = 0;
    queue.drain(() => {
      offers += 1;
      return true;
    });
    expect(offers).toBe(1);
  });

  test("gives each item once in a long line that is taken bit by bit", () => {
    const queue = new FairQueue<number>();
    for (let item = 0; item < 5000; item += 1) queue.push("a", item);
    for (let item = 0; item < 5000; item += 1) expect(takeOne(queue)).toBe(item);
  });

  test("loses and repeats nothing when taking adds items and drains from within", () => {
    const step = fc.record({
      name: fc.constantFrom("a", "b", "c"),
      front: fc.boolean(),
      adds: fc.nat({ max: 2 }),
      drains: fc.boolean(),
      room: fc.nat({ max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const queue = new FairQueue<number>();
        const taken: number[] = [];
        let added = 0;
        let adding = 0;
        for (const { name, front, adds, drains, room } of steps) {
          let left = room;
          const take = (item: number): boolean => {
            if (left === 0) return false;
            left -= 1;
            taken.push(item);
            for (let more = 0; more < adds && adding < 200; more += 1, adding += 1) {
              queue.push(name, added++, front);
              if (drains) queue.drain(take);
            }
            return true;
          };
          queue.push(name, added++, front);
          queue.drain(take);
          expect(queue.size).toBe(added - taken.length);
        }
        taken.push(...takeAll(queue));
        expect([...taken].sort((a, b) => a - b)).toEqual(
          Array.from({ length: added }, (_, item) => item),
        );
      }),
      { numRuns: 500 },
    );
  });
});
