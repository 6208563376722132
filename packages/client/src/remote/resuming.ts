// SPDX-License-Identifier: Apache-2.0

import { PawlError, type PawlErrorCode } from "../errors.js";
import { reconnectMs } from "../worker/backoff.js";
import { toPawlError } from "./rpc-error.js";

/**
 * What a server that is going away, or has gone, leaves behind; and one that was not read for long, which ends the
 * stream rather than keep what waits for its reader.
 */
const passing: ReadonlySet<PawlErrorCode> = new Set([
  "UNREACHABLE",
  "SHUTTING_DOWN",
  "STORE_UNAVAILABLE",
  "RESOURCE_EXHAUSTED",
]);

/**
 * A stream that goes on after its connection broke, from the token of its last item. One that never
 * had an item fails at once: there is nothing to go on from.
 */
export async function* resuming<T extends { readonly resumeToken: string }>(
  options: { readonly resumeToken?: string; readonly signal?: AbortSignal },
  open: (resumeToken: string) => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  let token = options.resumeToken ?? "";
  let hasBegun = false;
  for (let failures = 0; ; ) {
    try {
      for await (const item of open(token)) {
        token = item.resumeToken;
        hasBegun = true;
        failures = 0;
        yield item;
      }
      return;
    } catch (error) {
      const failed = toPawlError(error);
      if (!hasBegun || !passing.has(failed.code) || options.signal?.aborted) throw failed;
      failures += 1;
      await rest(reconnectMs(failures, Math.random()), options.signal);
    }
  }
}

/** Waits; in a browser, too. @throws CANCELLED */
function rest(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      clearTimeout(timer);
      reject(new PawlError("CANCELLED", "the caller gave up watching"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", cancel);
      resolve();
    }, ms);
    signal?.addEventListener("abort", cancel, { once: true });
  });
}
