// SPDX-License-Identifier: Apache-2.0

import type { EngineError } from "../../errors.js";
import type { Supervisor } from "../supervisor.js";
import { cancelled, shuttingDown } from "./wait.js";

/** A watcher's sleep: ends when something may have changed, fails when the watch is over. */
export class WakeUp {
  readonly #stops: (() => void)[] = [];
  #isDue = false;
  #over: EngineError | undefined;
  #wake: () => void = () => {};

  constructor(supervisor: Supervisor, signal: AbortSignal | undefined) {
    const end = (error: EngineError): void => {
      this.#over ??= error;
      this.set();
      // Also for a watcher that nobody asks any more, and that so never comes to stop by itself.
      this.stop();
    };
    const cancel = (): void => end(cancelled());
    this.#stops.push(supervisor.onClose(() => end(shuttingDown())));
    signal?.addEventListener("abort", cancel, { once: true });
    this.#stops.push(() => signal?.removeEventListener("abort", cancel));
    if (signal?.aborted) cancel();
  }

  /** Calls `stop` when the watch is over. */
  onStop(stop: () => void): void {
    this.#stops.push(stop);
  }

  /** Something may have changed. */
  readonly set = (): void => {
    this.#isDue = true;
    this.#wake();
  };

  /** Resolves when `set` has been called since the last time. @throws CANCELLED, SHUTTING_DOWN */
  async next(): Promise<void> {
    while (!this.#isDue) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#isDue = false;
    this.check();
  }

  /** @throws CANCELLED, SHUTTING_DOWN when the watch is over */
  check(): void {
    if (this.#over !== undefined) throw this.#over;
  }

  /** Stops listening. */
  stop(): void {
    for (const stop of this.#stops) stop();
  }
}
