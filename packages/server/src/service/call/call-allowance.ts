// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "@pawl/engine";

/** Lets so many calls be under way at once. */
export class CallAllowance {
  readonly #limit: number;
  #open = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Runs a call. Rejects with RESOURCE_EXHAUSTED when there are too many, and as the call does. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#open >= this.#limit) {
      throw new EngineError(
        "RESOURCE_EXHAUSTED",
        `${this.#limit} calls are under way; wait for answers before making more`,
        { details: { limit: String(this.#limit) } },
      );
    }
    this.#open += 1;
    try {
      return await call();
    } finally {
      this.#open -= 1;
    }
  }
}
