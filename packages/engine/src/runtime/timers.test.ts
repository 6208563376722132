// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { rowKey, type TimerKey, timerKey } from "../store/key.js";
import { openMemoryStore } from "../store/memory-store.js";
import type { Clock } from "./clock.js";
import { Timers } from "./timers.js";

/** Stands still, and says what it is asked to call. */
class StillClock implements Clock {
  readonly timers = new Set<() => void>();

  now(): number {
    return 1000;
  }

  setTimer(_at: number, call: () => void): () => void {
    this.timers.add(call);
    return () => this.timers.delete(call);
  }

  setDelay(_delayMs: number, call: () => void): () => void {
    return this.setTimer(0, call);
  }
}

function timer(number: number): TimerKey {
  return { instanceId: `i-${number}`, generation: 1, timerId: 0, fireAt: 1 + (number % 900) };
}

/** By instant, then as the instances lie in the store. */
function inStore(a: TimerKey, b: TimerKey): number {
  const ids = Buffer.compare(rowKey(a.instanceId), rowKey(b.instanceId));
  return a.fireAt - b.fireAt || ids;
}

describe("Timers", () => {
  test("fires what is due at once in its order, and no more at a time than there is room for", async () => {
    const store = await openMemoryStore();
    const clock = new StillClock();
    const fired: TimerKey[] = [];
    const ends: (() => void)[] = [];
    const fire = (one: TimerKey): Promise<void> => {
      fired.push(one);
      return new Promise((resolve) => ends.push(resolve));
    };
    const timers = new Timers(store, clock, fire, () => {});
    await timers.open();
    const count = 5000;
    for (let number = 0; number < count; number += 1) timers.arm(timer(number));
    for (const call of [...clock.timers]) call();
    const atOnce = fired.length;
    expect(atOnce).toBeGreaterThan(0);
    expect(atOnce).toBeLessThan(count / 2);
    // One that ends makes room for one.
    ends[0]?.();
    await new Promise(setImmediate);
    expect(fired).toHaveLength(atOnce + 1);
    expect(timers.isBusy()).toBe(true);
    for (let at = 1; at < ends.length; at += 1) {
      ends[at]?.();
      if (at === ends.length - 1) await new Promise(setImmediate);
    }
    expect(fired).toEqual(
      Array.from({ length: count }, (_, number) => timer(number)).sort(inStore),
    );
    expect(timers.isBusy()).toBe(false);
    timers.close();
    await store.close();
  });

  test("reads all timers of the near future, however many a partition has", async () => {
    const store = await openMemoryStore();
    const clock = new StillClock();
    const stored = Array.from({ length: 10_050 }, (_, timerId) => ({ ...timer(7), timerId }));
    await store.write(
      stored.map((one) => ({ type: "put", key: timerKey(one), value: Uint8Array.of() })),
    );
    const fired = new Set<number>();
    const fire = async ({ timerId }: TimerKey): Promise<void> => void fired.add(timerId);
    const timers = new Timers(store, clock, fire, () => {});
    await timers.open();
    for (const call of [...clock.timers]) call();
    await new Promise(setImmediate);
    expect(fired.size).toBe(stored.length);
    timers.close();
    await store.close();
  });
});
