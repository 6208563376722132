// SPDX-License-Identifier: Apache-2.0

import type { BenchOptions } from "./options.js";
import type { Installed } from "./peer/peers.js";
import { type Case, type SystemName, systems, taskOf } from "./plan.js";
import { QuietMeter } from "./quiet.js";
import { HostedSystem } from "./system/hosted-system.js";
import type { System } from "./system/system.js";
import type { Sample } from "./workload/sample.js";

/** The samples of one case, one a round. */
export interface Samples {
  readonly of: Case;
  readonly rounds: Sample[];
}

/** What was measured, and what was not and why. */
export interface Measured {
  readonly samples: readonly Samples[];
  readonly skipped: ReadonlyMap<SystemName, string>;
}

/**
 * Measures cases round by round, so that what changes on the machine meanwhile meets all alike. A
 * system that fails is left out from then on, with its reason.
 */
export async function runCases(
  cases: readonly Case[],
  installed: Installed,
  options: BenchOptions,
  progress: (line: string) => void,
): Promise<Measured> {
  const open = new OpenSystems(installed);
  const skipped = new Map<SystemName, string>();
  const quiet = new QuietMeter(options.patienceMs);
  const samples = cases.map((of): Samples => ({ of, rounds: [] }));
  const measureOne = async ({ of, rounds }: Samples, round: number): Promise<void> => {
    if (skipped.has(of.system) || (of.once === true && round > 1)) return;
    try {
      const sample = await open.use(of, (system) =>
        quiet.measure(() => system.measure(taskOf(of, options))),
      );
      rounds.push(sample);
      progress(`round ${round} of ${options.rounds}: ${lineOf(of, sample)}`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      skipped.set(of.system, reason);
      progress(`SKIPPED from here on: ${systems[of.system].title}: ${reason}`);
    }
  };
  try {
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const each of samples) await measureOne(each, round);
    }
  } finally {
    await open.close();
  }
  return { samples: samples.filter(({ rounds }) => rounds.length > 0), skipped };
}

/** Systems that were opened. They stay open, idle while others are measured, unless they are restless. */
class OpenSystems {
  readonly #installed: Installed;
  readonly #open = new Map<SystemName, System>();

  constructor(installed: Installed) {
    this.#installed = installed;
  }

  /** Runs something on the system of a case; on one of its own for a case that is measured once. */
  async use(
    { system: name, once }: Case,
    run: (system: System) => Promise<Sample>,
  ): Promise<Sample> {
    if (once === true || systems[name].isRestless === true) {
      const system = await this.#start(name);
      return run(system).finally(() => system.close());
    }
    const system = this.#open.get(name) ?? (await this.#start(name));
    this.#open.set(name, system);
    return run(system);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((system) => system.close()));
  }

  #start(name: SystemName): Promise<System> {
    const { module, options = {}, needs = [] } = systems[name];
    const folders = needs.map((peer) => [`${peer}Folder`, this.#installed.folderOf(peer)]);
    const url = new URL(module, import.meta.url);
    return HostedSystem.open(url, { ...options, ...Object.fromEntries(folders) });
  }
}

function lineOf({ system, workload, size, atOnce }: Case, sample: Sample): string {
  const what = `${systems[system].title}: ${workload}${size === 1 ? "" : ` of ${size}`}, ${atOnce} at once`;
  const figures = `${sample.perSecond.toPrecision(4)}/s, p99 ${sample.p99Ms.toFixed(1)} ms`;
  const others = `${(sample.otherCpuShare * 100).toFixed(0)} % CPU of others`;
  const facts = Object.entries(sample.facts ?? {}).map(([n, v]) => `${n} ${v.toPrecision(4)}`);
  return [`${what}: ${figures}, ${others}`, ...facts].join(", ");
}
