// SPDX-License-Identifier: Apache-2.0

import { AsyncLocalStorage } from "node:async_hooks";
import type { Logger } from "../../authoring.js";

/** Whose code a promise belongs to. */
interface Owner {
  readonly instanceId: string;
  readonly log: Logger;
}

const owners = new AsyncLocalStorage<Owner>();
let isListening = false;

/**
 * Runs a workflow's code so that a promise of it that is rejected before anybody awaits it (a
 * stored `Promise.all`, say) is a line in the log. Node would end the process, and with it every
 * other instance, again and again on each replay. Whoever awaits the promise later still gets its
 * rejection.
 */
export function runOwned<T>(owner: Owner, run: () => T): T {
  if (!isListening) {
    isListening = true;
    process.on("unhandledRejection", onUnhandledRejection);
  }
  return owners.run(owner, run);
}

/** Node runs this in the context in which the promise was made. */
function onUnhandledRejection(reason: unknown): void {
  const owner = owners.getStore();
  if (owner !== undefined) {
    const { instanceId } = owner;
    owner.log.warn({ instanceId, error: reason }, "a rejected promise is not awaited yet");
  } else if (process.listenerCount("unhandledRejection") === 1) {
    // What is not a workflow's is dealt with as if nobody listened.
    throw reason;
  }
}
