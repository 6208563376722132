// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";

/** Characters that are hashed in one go: a call for each line would cost more than the line. */
const hashedAtOnce = 1 << 15;

/** Everything that happened in a run, in order: as a hash, and as lines where they are wanted. */
export class Trace {
  readonly #hash = createHash("sha256");
  readonly #keep: boolean;
  readonly lines: string[] = [];
  #count = 0;
  /** Lines that are not in the hash yet. */
  #waiting = "";

  constructor(keep: boolean) {
    this.#keep = keep;
  }

  /** Notes a step. */
  note(line: string): void {
    this.#waiting += `${line}\n`;
    if (this.#waiting.length > hashedAtOnce) this.#flush();
    this.#count += 1;
    if (this.#keep) this.lines.push(line);
  }

  /** Steps so far. */
  get count(): number {
    return this.#count;
  }

  /** The hash of all lines. The trace takes no more afterwards. */
  digest(): string {
    this.#flush();
    return this.#hash.digest("hex").slice(0, 16);
  }

  #flush(): void {
    this.#hash.update(this.#waiting);
    this.#waiting = "";
  }
}
