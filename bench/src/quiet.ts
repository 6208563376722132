// SPDX-License-Identifier: Apache-2.0

import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { machineBusyMs } from "./process/cpu.js";
import type { Sample } from "./workload/sample.js";

/** The machine is quiet when others use no more of it than this share. */
const quietShare = 0.1;
/** How long one look at the machine takes. */
const lookMs = 200;
/** What one sample may use of all patience. */
const sampleShare = 0.1;

/** Measures in quiet moments of a machine that others use, too, for as long as patience lasts. */
export class QuietMeter {
  readonly #patienceMs: number;
  readonly #isQuiet: () => Promise<boolean>;
  #leftMs: number;

  constructor(patienceMs: number, isQuiet: () => Promise<boolean> = isMachineQuiet) {
    this.#patienceMs = patienceMs;
    this.#isQuiet = isQuiet;
    this.#leftMs = patienceMs;
  }

  /** Waits for a quiet moment, measures, and again when it was disturbed. Gives the quietest. */
  async measure(once: () => Promise<Sample>): Promise<Sample> {
    const patience = Math.min(this.#leftMs, this.#patienceMs * sampleShare);
    const startedAt = performance.now();
    const isPatient = (): boolean => performance.now() - startedAt < patience;
    let triedAt = await this.#untilQuiet(isPatient);
    let quietest = await once();
    while (quietest.otherCpuShare > quietShare && isPatient()) {
      triedAt = await this.#untilQuiet(isPatient);
      const sample = await once();
      if (sample.otherCpuShare < quietest.otherCpuShare) quietest = sample;
    }
    // What the last try itself took is not waiting.
    this.#leftMs -= triedAt - startedAt;
    return quietest;
  }

  /** Resolves at a quiet moment, or when patience has ended; with the time. */
  async #untilQuiet(isPatient: () => boolean): Promise<number> {
    while (isPatient() && !(await this.#isQuiet()));
    return performance.now();
  }
}

async function isMachineQuiet(): Promise<boolean> {
  const busyMs = machineBusyMs();
  await sleep(lookMs);
  return machineBusyMs() - busyMs <= quietShare * lookMs * availableParallelism();
}
