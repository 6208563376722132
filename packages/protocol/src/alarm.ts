// SPDX-License-Identifier: Apache-2.0

/** The longest time that a timer of Node lasts (2^31 - 1 ms); one that is to last longer ends at once. */
export const longestTimerMs = 2_147_483_647;

/** Calls back after so many milliseconds, however many; `Infinity`: never. Returns a cancel. */
export function setAlarm(waitMs: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (leftMs: number): void => {
    const timerMs = Math.min(leftMs, longestTimerMs);
    timer = setTimeout(() => (leftMs > timerMs ? arm(leftMs - timerMs) : callback()), timerMs);
  };
  arm(waitMs);
  return () => clearTimeout(timer);
}
