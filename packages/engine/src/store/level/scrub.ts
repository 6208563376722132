// SPDX-License-Identifier: Apache-2.0

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf } from "../../errors.js";
import { hasCode } from "../side-file.js";
import { FilesDamaged, listTables } from "./inspect.js";
import { checkTable } from "./table-file.js";

/** How a running server's tables are read again and again, to find what the disk has changed. */
export interface ScrubRate {
  /** Bytes read in a second, about. 0: nothing is read. */
  readonly bytesPerSecond: number;
  /** Milliseconds between the opening and the first round. */
  readonly firstAfterMs: number;
  /** Milliseconds between the end of a round and the next one. */
  readonly againAfterMs: number;
}

/** Ends the reading of a table. */
class Stopped extends Error {}

/**
 * Reads all tables of an open database, one after the other and slowly, and checks every byte. LevelDB may
 * go on meanwhile: tables never change, and those that it deletes are passed over.
 */
export class Scrub {
  readonly #folder: string;
  readonly #rate: ScrubRate;
  readonly #onFault: (fault: FilesDamaged) => void;
  readonly #stop = new AbortController();
  #ended: Promise<void> = Promise.resolve();

  constructor(folder: string, rate: ScrubRate, onFault: (fault: FilesDamaged) => void) {
    this.#folder = folder;
    this.#rate = rate;
    this.#onFault = onFault;
  }

  /** Begins. */
  open(): void {
    if (this.#rate.bytesPerSecond > 0) this.#ended = this.#run();
  }

  /** Resolves when nothing is read any more. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { firstAfterMs, againAfterMs } = this.#rate;
    try {
      await this.#pause(firstAfterMs);
      for (;;) {
        await this.#round();
        await this.#pause(againAfterMs);
      }
    } catch (error) {
      if (error instanceof Stopped) return;
      const reason = reasonOf(error);
      this.#onFault(new FilesDamaged("a table", `cannot be read: ${reason}`));
    }
  }

  async #round(): Promise<void> {
    for (const { name, fact } of await listTables(this.#folder)) {
      const onRead = (bytes: number): Promise<void> =>
        this.#pause((bytes / this.#rate.bytesPerSecond) * 1000);
      try {
        const [fault] = await checkTable(join(this.#folder, name), fact, onRead);
        if (fault === undefined) continue;
        this.#onFault(new FilesDamaged(name, `is damaged: ${fault.what}`, fault.isConfined));
      } catch (error) {
        if (!hasCode(error, "ENOENT")) throw error;
      }
    }
  }

  async #pause(lengthMs: number): Promise<void> {
    const { signal } = this.#stop;
    await sleep(lengthMs, undefined, { ref: false, signal }).catch(() => {});
    if (signal.aborted) throw new Stopped();
  }
}
