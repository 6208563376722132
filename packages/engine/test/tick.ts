// SPDX-License-Identifier: Apache-2.0

/**
 * Lets everything that can go on do so, up to what it waits for next: the smallest step between two
 * moments of an engine over a store in memory, whose reads of one tick are done together.
 */
export function tick(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
