// SPDX-License-Identifier: Apache-2.0

import { setAlarm } from "@pawl/protocol";

/** Time as the engine sees it. Injected, so that tests run on virtual time. */
export interface Clock {
  /** Milliseconds since 1970 (UTC), an integer. May jump; never used to measure lengths. */
  now(): number;
  /**
   * Calls back once at or after the instant `at`, never from within this call: soon after it, also when
   * `now` jumps there. Returns a cancel.
   */
  setTimer(at: number, callback: () => void): () => void;
  /**
   * Calls back once this many milliseconds have passed, whatever `now` does meanwhile, never from
   * within this call. Returns a cancel.
   */
  setDelay(waitMs: number, callback: () => void): () => void;
}

/**
 * After this long a timer looks at the clock again. Node's timers count the time that passes, and hear
 * nothing of a clock that is set, nor of a machine that slept.
 */
const lookAgainMs = 30_000;

/** The machine's clock. Timers do not keep the process alive, delays do. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(at, callback) {
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      const waitMs = Math.min(Math.max(at - Date.now(), 0), lookAgainMs);
      handle = setTimeout(() => (Date.now() >= at ? callback() : arm()), waitMs);
      handle.unref();
    };
    arm();
    return () => clearTimeout(handle);
  },
  setDelay(waitMs, callback) {
    return setAlarm(waitMs, callback);
  },
};
