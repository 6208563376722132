// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";

/** Everything that happened in a run, in order: as a hash, and as lines where they are wanted. */
export class Trace {
  readonly #hash = createHash("sha256");
  readonly #keep: boolean;
  readonly lines: string[] = [];
  #count = 0;

  constructor(keep: boolean) {
    this.#keep = keep;
  }

  /** Notes a step. */
  note(line: string): void {
    this.#hash.update(line);
    this.#hash.update("\n");
    this.#count += 1;
    if (this.#keep) this.lines.push(line);
  }

  /** Steps so far. */
  get count(): number {
    return this.#count;
  }

  /** The hash of all lines. The trace takes no more afterwards. */
  digest(): string {
    return this.#hash.digest("hex").slice(0, 16);
  }
}
