// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import type { Clock } from "../clock.js";
import { Pace } from "./pace.js";

function clockOf(now: () => number): Clock {
  return { now, setTimer: () => () => {}, setDelay: () => () => {} };
}

/** Writes of `diskMs`, with `workMs` between two in which changes come. */
function paceAfter(
  writes: number,
  { diskMs, workMs, changes }: { diskMs: number; workMs: number; changes: number },
): Pace {
  let now = 1000;
  const pace = new Pace(clockOf(() => now));
  for (let write = 0; write < writes; write += 1) {
    now += workMs;
    pace.begun();
    now += diskMs;
    pace.ended(changes);
  }
  return pace;
}

describe("the pace of batches", () => {
  test("begins with batches that take everything", () => {
    expect(paceAfter(0, { diskMs: 1, workMs: 9, changes: 256 }).batchSize).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  test("makes two of them while the disk waits longer than it is waited for", () => {
    const pace = paceAfter(3, { diskMs: 2, workMs: 9, changes: 127 });
    expect(pace.batchSize).toBe(64);
  });

  test("makes three of many", () => {
    const pace = paceAfter(3, { diskMs: 2, workMs: 9, changes: 256 });
    expect(pace.batchSize).toBe(86);
  });

  test("makes one while the disk is waited for longer", () => {
    const pace = paceAfter(3, { diskMs: 12, workMs: 9, changes: 256 });
    expect(pace.batchSize).toBe(Number.POSITIVE_INFINITY);
  });

  test("makes one of few changes", () => {
    const pace = paceAfter(3, { diskMs: 2, workMs: 9, changes: 63 });
    expect(pace.batchSize).toBe(Number.POSITIVE_INFINITY);
  });

  test("goes back to one when the disk becomes slow", () => {
    let now = 1000;
    const pace = new Pace(clockOf(() => now));
    const write = (diskMs: number, workedMs: number): void => {
      pace.begun();
      now += workedMs;
      pace.added();
      now += diskMs - workedMs;
      pace.ended(256);
    };
    // Changes come almost until the end of each write.
    for (let count = 0; count < 5; count += 1) write(5, 5);
    expect(pace.batchSize).toBe(86);
    for (let count = 0; count < 5; count += 1) write(20, 5);
    expect(pace.batchSize).toBe(Number.POSITIVE_INFINITY);
  });
});
