// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../test/manual-clock.js";
import { Departures, type WorkerNames } from "./departures.js";

const waitMs = 1000;

function names(workflow: string[], activity: string[] = []): WorkerNames {
  return { workflow: new Set(workflow), activity: new Set(activity) };
}

function setUp() {
  const clock = new ManualClock();
  let overs = 0;
  const departures = new Departures(
    clock,
    () => waitMs,
    () => {
      overs += 1;
    },
  );
  const awaited = (...workflows: string[]): boolean[] =>
    workflows.map((name) => departures.isAwaited("workflow", name));
  return { clock, departures, awaited, overs: () => overs };
}

describe("Departures", () => {
  test("awaits each name, by kind, from the last worker that left with it", () => {
    const { clock, departures, awaited, overs } = setUp();
    departures.leave(names(["a", "b"], ["c"]));
    expect(awaited("a", "b", "c")).toEqual([true, true, false]);
    expect(departures.isAwaited("activity", "c")).toBe(true);
    clock.advance(waitMs / 2);
    departures.leave(names(["b"]));
    clock.advance(waitMs / 2);
    expect(awaited("a", "b")).toEqual([false, true]);
    expect(departures.isAwaited("activity", "c")).toBe(false);
    expect(overs()).toBe(1);
    clock.advance(waitMs / 2);
    expect(awaited("b")).toEqual([false]);
    expect(overs()).toBe(2);
  });

  test("keeps one timer for a worker that comes and goes", () => {
    const { clock, departures, awaited, overs } = setUp();
    for (let round = 0; round < 50; round += 1) departures.leave(names(["a", "b"], ["a"]));
    for (let round = 0; round < 50; round += 1) departures.leave(names([]));
    expect(clock.alarmCount()).toBe(1);
    clock.advance(waitMs - 1);
    expect(awaited("a")).toEqual([true]);
    clock.advance(1);
    expect(awaited("a")).toEqual([false]);
    expect(overs()).toBe(1);
  });

  test("awaits any name after the whole server has gone", () => {
    const { clock, departures, awaited, overs } = setUp();
    departures.leaveAll();
    clock.advance(waitMs / 2);
    departures.leaveAll();
    clock.advance(waitMs / 2);
    expect(awaited("a")).toEqual([true]);
    clock.advance(waitMs / 2);
    expect(awaited("a")).toEqual([false]);
    expect(overs()).toBe(1);
  });

  test("leaves no timer behind when it is closed, and ends no wait", () => {
    const { clock, departures, awaited, overs } = setUp();
    departures.leave(names(["a", "b"]));
    departures.leave(names(["b"]));
    departures.leaveAll();
    departures.close();
    departures.leave(names(["c"]));
    expect(clock.alarmCount()).toBe(0);
    expect(awaited("a", "b")).toEqual([true, true]);
    expect(overs()).toBe(0);
  });
});
