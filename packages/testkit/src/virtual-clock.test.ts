// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { VirtualClock } from "./virtual-clock.js";

describe("jumpTo()", () => {
  test("calls back what is due, in order, each at its instant", () => {
    const clock = new VirtualClock(100);
    const seen: [string, number][] = [];
    const note = (name: string) => () => void seen.push([name, clock.now()]);
    clock.setTimer(300, note("late"));
    clock.setTimer(200, note("early"));
    clock.setTimer(500, note("not due"));
    clock.jumpTo(400);
    expect(seen).toEqual([
      ["early", 200],
      ["late", 300],
    ]);
    expect(clock.now()).toBe(400);
  });

  test("calls back what the callbacks set", () => {
    const clock = new VirtualClock(0);
    const seen: number[] = [];
    clock.setTimer(10, () => clock.setTimer(20, () => seen.push(clock.now())));
    clock.jumpTo(30);
    expect(seen).toEqual([20]);
  });

  test("does not go back", () => {
    const clock = new VirtualClock(100);
    clock.jumpTo(50);
    expect(clock.now()).toBe(100);
  });
});

describe("setTimer()", () => {
  test("is cancelled by what it returns", () => {
    const clock = new VirtualClock(0);
    let called = false;
    const cancel = clock.setTimer(10, () => {
      called = true;
    });
    cancel();
    clock.jumpTo(20);
    expect(called).toBe(false);
  });

  test("calls back what is due already, but not from within the call", async () => {
    const clock = new VirtualClock(100);
    let returned = false;
    const order = new Promise((resolve) => clock.setTimer(50, () => resolve(returned)));
    returned = true;
    expect(await order).toBe(true);
  });
});
