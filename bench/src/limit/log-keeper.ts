// SPDX-License-Identifier: Apache-2.0

import { type FSWatcher, linkSync, readdirSync, watch } from "node:fs";
import { join } from "node:path";
import { isLog } from "./level-log.js";

/**
 * Gives each log of an open LevelDB folder a second name elsewhere, so that it stays when LevelDB has
 * made a table of it. LevelDB keeps a log for as long as that takes, the watch is told of a new one at
 * once; whether one was missed nevertheless, `readLoggedBatches` finds out.
 */
export class LogKeeper {
  readonly #from: string;
  readonly #to: string;
  readonly #kept = new Set<string>();
  readonly #watcher: FSWatcher;

  /** Both folders are there, on one file system. */
  constructor(from: string, to: string) {
    this.#from = from;
    this.#to = to;
    this.#watcher = watch(from, { persistent: false }, () => this.#keep());
    this.#keep();
  }

  /** Keeps what is there now; nothing after it. */
  close(): void {
    this.#watcher.close();
    this.#keep();
  }

  #keep(): void {
    for (const name of readdirSync(this.#from)) {
      if (!isLog(name) || this.#kept.has(name)) continue;
      linkSync(join(this.#from, name), join(this.#to, name));
      this.#kept.add(name);
    }
  }
}
