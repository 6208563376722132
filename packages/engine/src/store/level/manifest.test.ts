// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { compareAges, compareKeys, type TableFact } from "./manifest.js";

/** A key as a table has it. */
function keyOf(key: string, sequence: number): Buffer {
  const tail = Buffer.alloc(8);
  tail.writeBigUInt64LE((BigInt(sequence) << 8n) | 1n);
  return Buffer.concat([Buffer.from(key), tail]);
}

test("keys are in order, and of one key the newest write is the first", () => {
  const keys = [keyOf("a", 3), keyOf("a", 2), keyOf("ab", 70_000), keyOf("ab", 300), keyOf("b", 1)];
  expect([...keys].reverse().sort(compareKeys)).toEqual(keys);
  expect(compareKeys(keyOf("a", 3), keyOf("a", 3))).toBe(0);
  // Comparing leaves the keys as they are.
  expect(keys[0]).toEqual(keyOf("a", 3));
});

test("tables are in the order in which the oldest writes of each key come first", () => {
  const table = (number: number, level: number, first: Buffer, last: Buffer): TableFact => {
    return { number, level, sizeBytes: 1, first, last };
  };
  const oldest = table(9, 2, keyOf("a", 1), keyOf("z", 2));
  // The three have writes of "k", the newest of them at the end of the first.
  const end = table(5, 1, keyOf("k", 11), keyOf("z", 10));
  const middle = table(4, 1, keyOf("k", 13), keyOf("k", 12));
  const begin = table(3, 1, keyOf("a", 10), keyOf("k", 14));
  const older = table(6, 0, keyOf("a", 20), keyOf("z", 21));
  const newer = table(7, 0, keyOf("a", 30), keyOf("z", 31));
  const inOrder = [oldest, end, middle, begin, older, newer];
  for (let turn = 0; turn < inOrder.length; turn += 1) {
    const turned = [...inOrder.slice(turn), ...inOrder.slice(0, turn)];
    expect(turned.sort(compareAges)).toEqual(inOrder);
  }
});
