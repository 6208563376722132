// SPDX-License-Identifier: Apache-2.0

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "./clock.js";

const minute = 60_000;
const month = 31 * 24 * 60 * minute;

beforeEach(() => vi.useFakeTimers({ now: Date.UTC(2030, 0, 1) }));
afterEach(() => vi.useRealTimers());

describe("systemClock.setTimer()", () => {
  test("calls back once, at the instant and not before, however far it is", () => {
    const callback = vi.fn();
    systemClock.setTimer(systemClock.now() + month, callback);
    vi.advanceTimersByTime(month - 1);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    vi.advanceTimersByTime(month);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test("notices within a minute that the clock was set forward, or that the machine slept", () => {
    const callback = vi.fn();
    systemClock.setTimer(systemClock.now() + month, callback);
    vi.setSystemTime(systemClock.now() + month);
    vi.advanceTimersByTime(minute);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test("waits for the instant on a clock that was set back", () => {
    const callback = vi.fn();
    systemClock.setTimer(systemClock.now() + minute, callback);
    vi.setSystemTime(systemClock.now() - minute);
    vi.advanceTimersByTime(minute);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(minute);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test("does not call back when it is cancelled, also after it has looked again", () => {
    const callback = vi.fn();
    const cancel = systemClock.setTimer(systemClock.now() + month, callback);
    vi.advanceTimersByTime(minute);
    cancel();
    vi.advanceTimersByTime(month);
    expect(callback).not.toHaveBeenCalled();
  });
});

describe("systemClock.setDelay()", () => {
  test.each([1, minute, month, 12 * month])("passes once, after %d ms and not before", (waitMs) => {
    const callback = vi.fn();
    systemClock.setDelay(waitMs, callback);
    vi.advanceTimersByTime(waitMs - 1);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    vi.advanceTimersByTime(12 * month);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test("does not pass when it is cancelled, at whatever time", () => {
    const callback = vi.fn();
    const cancel = systemClock.setDelay(2 * month, callback);
    vi.advanceTimersByTime(month);
    cancel();
    vi.advanceTimersByTime(2 * month);
    expect(callback).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
