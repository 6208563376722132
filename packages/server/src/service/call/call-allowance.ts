// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "@pawl/engine";

/** Lets so many calls be under way at once. */
export class CallAllowance {
  readonly #limit: number;
  readonly #whole: CallAllowance | undefined;
  #open = 0;

  /** @param whole of which this is a part: what is taken here is taken there, too */
  constructor(limit: number, whole?: CallAllowance) {
    this.#limit = limit;
    this.#whole = whole;
  }

  /** Takes a place, to be given back when the call has ended. @throws RESOURCE_EXHAUSTED when there is none */
  take(): void {
    if (this.#open >= this.#limit) {
      throw new EngineError(
        "RESOURCE_EXHAUSTED",
        `${this.#limit} calls are under way; wait for answers before making more`,
        { details: { limit: String(this.#limit) } },
      );
    }
    this.#whole?.take();
    this.#open += 1;
  }

  giveBack(): void {
    this.#open -= 1;
    this.#whole?.giveBack();
  }
}
