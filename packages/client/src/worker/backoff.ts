// SPDX-License-Identifier: Apache-2.0

const firstMs = 100;
const maxMs = 10_000;

/**
 * Milliseconds to wait before the next attempt to connect: doubled with each failure in a row,
 * from 100 ms to 10 s, and spread over its upper half, so that workers do not come back all at
 * once.
 * @param failures failures in a row, at least 1
 * @param random from 0 to 1
 */
export function reconnectMs(failures: number, random: number): number {
  const fullMs = Math.min(firstMs * 2 ** (failures - 1), maxMs);
  return Math.round(fullMs / 2 + (fullMs / 2) * random);
}
