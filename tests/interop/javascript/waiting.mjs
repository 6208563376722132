// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";

/** How long a wait of the suite may last, in seconds. */
export const waitSeconds = 60;

/**
 * Resolves once `holds()` is true, for things that announce themselves in no other way.
 *
 * @param {() => boolean | Promise<boolean>} holds
 * @param {string} what named in the error when it never holds
 * @param {number} [timeoutSeconds]
 */
export async function waitUntil(holds, what, timeoutSeconds = waitSeconds) {
  const deadline = Date.now() + timeoutSeconds * 1000;
  while (!(await holds())) {
    if (Date.now() > deadline) {
      throw new Error(`waited ${timeoutSeconds} s in vain for ${what}`);
    }
    await sleep(20);
  }
}
