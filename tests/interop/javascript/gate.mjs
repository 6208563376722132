// SPDX-License-Identifier: Apache-2.0

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { waitUntil } from "./waiting.mjs";

/** Holds an activity until the test opens it: a file, so that it works across processes. */
export class Gate {
  /** @type {string} */
  #path;

  /** @param {string} stateDir */
  constructor(stateDir) {
    this.#path = join(stateDir, "gate-is-open");
  }

  open() {
    writeFileSync(this.#path, "");
  }

  async wait() {
    await waitUntil(() => existsSync(this.#path), "the gate to open", 60);
  }
}
