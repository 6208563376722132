// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instanceIdFault } from "../core/instance-id.js";
import {
  chunkKey,
  generationRange,
  inboxKey,
  instanceIdOf,
  instanceRange,
  type KeyKind,
  kindRange,
  liveKey,
  outboxKey,
  parseTimerKey,
  partitionCount,
  partitionOf,
  partitions,
  rowKey,
  sequenceOf,
  timerKey,
  timerRange,
} from "./key.js";
import { commitKey, commitOf } from "./store-key.js";

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const instant = fc.oneof(
  fc.maxSafeNat(),
  fc.integer({ min: 0, max: 4_102_444_800_000 }),
  fc.constantFrom(0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 253_402_300_799_999),
);
/** Ids that a caller may use; short alphabets make one the beginning of another. */
const instanceId = fc
  .oneof(
    fc.string({ unit: fc.constantFrom("a", "b", "~", "é", " "), minLength: 1, maxLength: 4 }),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
  )
  .filter((id) => instanceIdFault(id) === undefined);

const compare = (a: Uint8Array, b: Uint8Array): number => Math.sign(Buffer.compare(a, b));
const isWithin = (key: Uint8Array, range: { gte: Uint8Array; lt: Uint8Array }): boolean =>
  compare(key, range.gte) >= 0 && compare(key, range.lt) < 0;

describe("numbers in keys", () => {
  test.each([
    ["chunk", (id: string, n: number) => chunkKey(id, 1, n)],
    ["generation", (id: string, n: number) => chunkKey(id, n, 1)],
    ["inbox sequence", inboxKey],
    ["outbox sequence", outboxKey],
  ])("%s: byte order is number order", (_, keyOf) => {
    fc.assert(
      fc.property(instanceId, uint32, uint32, (id, a, b) => {
        expect(compare(keyOf(id, a), keyOf(id, b))).toBe(Math.sign(a - b));
        expect(sequenceOf(inboxKey(id, a))).toBe(a);
      }),
    );
  });

  test("commit number: byte order is number order, and it is read back", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        expect(compare(commitKey(a), commitKey(b))).toBe(Math.sign(a - b));
        expect(commitOf(commitKey(a))).toBe(a);
      }),
    );
  });
});

describe("ids in keys", () => {
  const kinds: readonly KeyKind[] = ["row", "history", "inbox", "outbox", "live", "timer"];
  const keysOf = (id: string, number: number): Uint8Array[] => [
    rowKey(id),
    chunkKey(id, number, number),
    inboxKey(id, number),
    outboxKey(id, number),
    liveKey(id),
  ];
  const ranged = ["row", "history", "inbox", "outbox", "live"] as const;

  test("are read back", () => {
    fc.assert(
      fc.property(instanceId, uint32, (id, number) => {
        expect(instanceIdOf(rowKey(id))).toBe(id);
        expect(instanceIdOf(liveKey(id))).toBe(id);
        expect(instanceIdOf(inboxKey(id, number), 4)).toBe(id);
        expect(instanceIdOf(chunkKey(id, number, number), 8)).toBe(id);
      }),
    );
  });

  test("never mix: an instance's range has its own keys of that kind and nobody else's", () => {
    fc.assert(
      fc.property(instanceId, instanceId, uint32, (id, other, number) => {
        for (const [index, kind] of ranged.entries()) {
          const range = instanceRange(kind, id);
          for (const [at, key] of keysOf(id, number).entries()) {
            expect(isWithin(key, range)).toBe(at === index);
          }
          if (other === id) continue;
          for (const key of keysOf(other, number)) expect(isWithin(key, range)).toBe(false);
        }
      }),
    );
  });

  test("a generation's range has its chunks and no other generation's", () => {
    const generation = fc.integer({ min: 0, max: 0xffff_fffe });
    fc.assert(
      fc.property(instanceId, generation, generation, uint32, (id, a, b, chunk) => {
        expect(isWithin(chunkKey(id, b, chunk), generationRange(id, a))).toBe(a === b);
      }),
    );
  });

  test("keep their kind's and partition's range", () => {
    fc.assert(
      fc.property(instanceId, uint32, instant, (id, number, fireAt) => {
        const timer = timerKey({ instanceId: id, generation: 1, timerId: number, fireAt });
        const keys = [...keysOf(id, number), timer];
        for (const [index, kind] of kinds.entries()) {
          for (const partition of partitions) {
            const key = keys[index] ?? new Uint8Array();
            const own = partition === partitionOf(id);
            expect(isWithin(key, kindRange(kind, partition))).toBe(own);
          }
        }
        for (const [index, key] of keys.entries()) {
          for (const [at, kind] of kinds.entries()) {
            expect(isWithin(key, kindRange(kind, partitionOf(id)))).toBe(at === index);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test("stay apart from the store's own keys", () => {
    fc.assert(
      fc.property(instanceId, fc.maxSafeNat(), (id, commit) => {
        for (const kind of kinds) {
          expect(isWithin(commitKey(commit), kindRange(kind, partitionOf(id)))).toBe(false);
        }
      }),
    );
  });
});

describe("timer keys", () => {
  const timer = fc.record({ instanceId, generation: uint32, timerId: uint32, fireAt: instant });

  test("are read back as they were", () => {
    fc.assert(
      fc.property(timer, (key) => {
        expect(parseTimerKey(timerKey(key))).toEqual(key);
      }),
    );
  });

  test("are in the order of their instants within a partition", () => {
    fc.assert(
      fc.property(instanceId, timer, timer, (id, a, b) => {
        fc.pre(a.fireAt !== b.fireAt);
        const [first, second] = [a, b].map((key) => timerKey({ ...key, instanceId: id }));
        if (first === undefined || second === undefined) throw new Error("no keys");
        expect(compare(first, second)).toBe(Math.sign(a.fireAt - b.fireAt));
      }),
    );
  });

  test("are in the range of what is due before an instant, or not", () => {
    fc.assert(
      fc.property(timer, instant, (key, before) => {
        const range = timerRange(partitionOf(key.instanceId), before);
        expect(isWithin(timerKey(key), range)).toBe(key.fireAt < before);
      }),
    );
  });
});

describe("partitionOf()", () => {
  test("is one of the store's partitions, always the same", () => {
    fc.assert(
      fc.property(instanceId, (id) => {
        const partition = partitionOf(id);
        expect(partition).toBeGreaterThanOrEqual(0);
        expect(partition).toBeLessThan(partitionCount);
        expect(partitionOf(id)).toBe(partition);
      }),
    );
  });

  test("does not change from version to version", () => {
    expect(["order-1", "order-2", "größe", "a"].map(partitionOf)).toMatchInlineSnapshot(`
      [
        15,
        5,
        9,
        3,
      ]
    `);
  });
});
