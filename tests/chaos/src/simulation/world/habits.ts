// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../random.ts";
import type { DiskHabits } from "./sim-store.ts";

/** What goes wrong in a run, and how often. Probabilities from 0 to 1. */
export interface Habits {
  readonly disk: DiskHabits;
  /** Longest usual time of a message between processes, in milliseconds. */
  latencyMs: number;
  /** A call does not arrive, or its answer does not. */
  callLost: number;
  /** What a worker does with an answer. */
  answerLost: number;
  answerTwice: number;
  answerLate: number;
  answerForged: number;
  /** After an item, a worker goes away, forgets an instance, or stops for a while. */
  workerLeaves: number;
  workerForgets: number;
  workerStops: number;
  /** A call begins with the clock being set. */
  clockJumps: number;
  /** After an item, the connection of a watcher breaks. */
  watchBreaks: number;
}

/**
 * Habits of a run: each kind of fault is absent in some runs, so that others are seen alone, and in few
 * runs all that there are come in crowds, so that several meet.
 */
export function randomHabits(random: Random): Habits {
  const crowd = random.chance(0.1) ? 4 : 1;
  const sometimes = (most: number): number =>
    random.chance(0.6) ? random.next() * Math.min(most * crowd, 0.6) : 0;
  return {
    disk: {
      latencyMs: random.pick([
        { weight: 3, value: 2 },
        { weight: 1, value: 0.01 },
        { weight: 1, value: 30 },
      ]).value,
      slow: sometimes(0.02),
      writeFails: sometimes(0.03),
      readFails: sometimes(0.005),
      openFails: sometimes(0.3),
    },
    latencyMs: random.pick([
      { weight: 3, value: 1 },
      { weight: 1, value: 0.01 },
      { weight: 1, value: 20 },
    ]).value,
    callLost: sometimes(0.05),
    answerLost: sometimes(0.05),
    answerTwice: sometimes(0.2),
    answerLate: sometimes(0.1),
    answerForged: sometimes(0.2),
    workerLeaves: sometimes(0.05),
    workerForgets: sometimes(0.2),
    workerStops: sometimes(0.03),
    clockJumps: sometimes(0.03),
    watchBreaks: sometimes(0.2),
  };
}

/** From now on nothing goes wrong any more. */
export function calm(habits: Habits): void {
  Object.assign(habits.disk, { slow: 0, writeFails: 0, readFails: 0, openFails: 0 });
  Object.assign(habits, {
    callLost: 0,
    answerLost: 0,
    answerTwice: 0,
    answerLate: 0,
    answerForged: 0,
    workerLeaves: 0,
    workerForgets: 0,
    workerStops: 0,
    clockJumps: 0,
    watchBreaks: 0,
  });
}

/**
 * Without tokens the server takes an answer for that of the item that is out: what would be taken for
 * another one's must not come.
 */
export function withoutTokens(habits: Habits): void {
  Object.assign(habits.disk, { writeFails: 0, readFails: 0 });
  Object.assign(habits, { answerTwice: 0, answerLate: 0, answerForged: 0 });
}
