// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { damageFiles, fileKinds } from "./disk/damage.ts";
import {
  describeDamage,
  describeFullDisk,
  describePowerCuts,
  describeRaces,
} from "./disk/describe.ts";
import { fillDisk } from "./disk/full-disk.ts";
import { cutPower } from "./disk/power-cut.ts";
import { raceProcesses } from "./disk/two-processes.ts";
import { killServer } from "./kill-server.ts";
import { killWorker } from "./kill-worker.ts";
import { describeModel, modelMany } from "./model.ts";
import { PlantError } from "./planted/plant.ts";
import { type PlantedResult, runPlanted } from "./planted/planted.ts";
import { writeResults } from "./planted/results.ts";
import { describeServerKills, describeWorkerKills } from "./report.ts";
import { describeSimulations, simulateMany } from "./simulate.ts";
import { simulate } from "./simulation/simulation.ts";
import { failEachCall } from "./store-faults.ts";

const help = `Usage: pnpm chaos simulate    [--seed N] [--count N] [--twice]
       pnpm chaos model       [--seed N] [--count N]
       pnpm chaos store
       pnpm chaos planted     [--only NAME] [--count N] [--write]
       pnpm chaos kill        [--seed N] [--kills N] [--actors N] [--sleepers N]
       pnpm chaos kill-worker [--seed N] [--kills N] [--actors N] [--workers N]
       pnpm chaos power       [--seed N] [--images N]
       pnpm chaos full        [--seed N] [--rounds N]
       pnpm chaos damage      [--seed N] [--count N] [--only FILE]
       pnpm chaos two         [--seed N] [--rounds N]

simulate     runs engine, workers and callers in one thread on virtual time, with faults of all kinds
model        callers side by side on one instance, with faults: some order explains all answers
store        fails every single call of the store once, over many scenarios
planted      puts faults into a copy of engine and server, one at a time: a suite must catch each
kill         kills a server with SIGKILL again and again under load, and checks what is left
kill-worker  kills workers with SIGKILL in the middle of their activities, and checks likewise
power        records an engine with strace, and opens what a power cut at any moment would leave
full         lets the disk run full under an engine at work, then gives it space again
damage       deletes, empties, cuts, zeroes and changes files of a data folder, one at a time
two          starts two servers on one folder at the same moment

  --seed      decides what is asked and what goes wrong [a random number]
  --count     simulate, model: how many seeds from that on [simulate: 1000, model: 500]; with --seed
               alone: one, of "simulate" with its steps
               planted: seeds in which a fault is looked for [2000]; damage: how many cases [700]
  --twice     simulate: each seed twice, and both runs have to be the same
  --images    how many [504]
  --rounds    how often [full: 200, two: 60]
  --only      planted: the faults with this, or one of these (a,b), in their name
               damage: kinds of files, for instance "table" [all]
  --write     planted: writes the results into docs/reliability.md
  --kills     how often [kill: 50, kill-worker: 20]
  --actors    callers side by side [kill: 48, kill-worker: 24]
  --sleepers  instances that lie asleep from the beginning [0]
  --workers   workers side by side [2]

Exit code 0: nothing was lost, doubled or wrong. 1: something was, or the command line is wrong.
`;

const options = {
  seed: { type: "string" },
  count: { type: "string" },
  images: { type: "string" },
  rounds: { type: "string" },
  only: { type: "string" },
  write: { type: "boolean" },
  twice: { type: "boolean" },
  kills: { type: "string" },
  actors: { type: "string" },
  sleepers: { type: "string" },
  workers: { type: "string" },
} as const;

type Option = keyof typeof options;
type Text = Exclude<Option, "write" | "twice">;
type Values = { readonly [K in Text]?: string } & {
  readonly write?: boolean;
  readonly twice?: boolean;
};

/** The command line is not one of those that the help shows. */
class UsageError extends Error {}

function readInteger(values: Values, name: Text, otherwise: number, least = 1): number {
  const text = values[name];
  if (text === undefined) return otherwise;
  // A run of nothing would find nothing wrong.
  if (!/^\d{1,9}$/.test(text) || Number(text) < least) {
    throw new UsageError(`--${name} takes a number from ${least} to 999999999, not "${text}"`);
  }
  return Number(text);
}

const onProgress = (line: string): void => void process.stdout.write(`${line}\n`);

/** A report as text, and how much was wrong. */
type Told = readonly [text: string, wrong: number];
type Run = (values: Values, seed: number) => Promise<Told>;

/** Tells of a run whose report lists what was wrong. */
async function tell<T extends { readonly violations: readonly unknown[] }>(
  running: Promise<T>,
  describe: (report: T) => string,
): Promise<Told> {
  const report = await running;
  return [describe(report), report.violations.length];
}

const programs: Readonly<Record<string, { readonly takes: readonly Option[]; readonly run: Run }>> =
  {
    simulate: {
      takes: ["seed", "count", "twice"],
      async run(values, seed) {
        if (values.seed !== undefined && values.count === undefined && values.twice !== true) {
          const { trace, violations, hash } = await simulate(seed, true);
          return [[...trace, `seed ${seed}, hash ${hash}`].join("\n"), violations.length];
        }
        const count = readInteger(values, "count", values.seed === undefined ? 1000 : 1);
        const twice = values.twice === true;
        const report = await simulateMany({ seed, count, twice, onProgress });
        const [first] = report.failed;
        if (first !== undefined) onProgress(first.trace.join("\n"));
        return [describeSimulations(report), report.failed.length];
      },
    },
    model: {
      takes: ["seed", "count"],
      async run(values, seed) {
        const count = readInteger(values, "count", values.seed === undefined ? 500 : 1);
        const report = await modelMany(seed, count, onProgress);
        const [first] = report.failed;
        if (first !== undefined) onProgress(first.trace.join("\n"));
        return [describeModel(report), report.failed.length];
      },
    },
    store: {
      takes: [],
      async run() {
        const code = await failEachCall();
        return [code === 0 ? "every call of the store may fail" : "some call may not fail", code];
      },
    },
    planted: {
      takes: ["only", "count", "write"],
      async run(values) {
        const { only, write } = values;
        const more = only === undefined ? {} : { only };
        const seeds = readInteger(values, "count", 2000);
        const onResult = (result: PlantedResult): void => {
          if (write === true) writeResults([result]);
        };
        const results = await runPlanted({ seeds, onProgress, onResult, ...more });
        const missed = results.filter(({ caughtBy }) => caughtBy === undefined);
        const text = `${results.length - missed.length} of ${results.length} planted faults caught`;
        return [text, missed.length];
      },
    },
    kill: {
      takes: ["seed", "kills", "actors", "sleepers"],
      run(values, seed) {
        const kills = readInteger(values, "kills", 50);
        const actors = readInteger(values, "actors", 48);
        const sleepers = readInteger(values, "sleepers", 0, 0);
        return tell(killServer({ seed, kills, actors, sleepers, onProgress }), describeServerKills);
      },
    },
    "kill-worker": {
      takes: ["seed", "kills", "actors", "workers"],
      run(values, seed) {
        const kills = readInteger(values, "kills", 20);
        const actors = readInteger(values, "actors", 24);
        const workers = readInteger(values, "workers", 2);
        return tell(killWorker({ seed, kills, actors, workers, onProgress }), describeWorkerKills);
      },
    },
    power: {
      takes: ["seed", "images"],
      run(values, seed) {
        const images = readInteger(values, "images", 504);
        return tell(cutPower({ seed, images, onProgress }), describePowerCuts);
      },
    },
    full: {
      takes: ["seed", "rounds"],
      run(values, seed) {
        const rounds = readInteger(values, "rounds", 200);
        return tell(fillDisk({ seed, rounds, onProgress }), describeFullDisk);
      },
    },
    damage: {
      takes: ["seed", "count", "only"],
      run(values, seed) {
        const { only = "" } = values;
        const kinds = Object.keys(fileKinds);
        if (!kinds.some((kind) => kind.includes(only))) {
          throw new UsageError(`--only takes (part of) one of ${kinds.join(", ")}, not "${only}"`);
        }
        const count = readInteger(values, "count", 700);
        return tell(damageFiles({ seed, count, only, onProgress }), describeDamage);
      },
    },
    two: {
      takes: ["seed", "rounds"],
      run(values, seed) {
        const rounds = readInteger(values, "rounds", 60);
        return tell(raceProcesses({ seed, rounds, onProgress }), describeRaces);
      },
    },
  };

/** What a program is told. @throws UsageError for what it does not take */
function readValues(takes: readonly Option[], words: string[]): Values {
  const its = Object.fromEntries(takes.map((option) => [option, options[option]]));
  let values: Values;
  try {
    values = parseArgs({ args: words, options: its }).values;
  } catch (error) {
    const [text = ""] = error instanceof Error ? error.message.split(". ") : [];
    throw new UsageError(text.replace(/^U/, "u"));
  }
  return values;
}

async function main([name = "", ...words]: string[]): Promise<void> {
  if ([name, ...words].some((word) => word === "--help" || word === "-h")) {
    process.stdout.write(help);
    return;
  }
  try {
    const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
    if (program === undefined) {
      throw new UsageError(name === "" ? "what is to be run?" : `there is no run "${name}"`);
    }
    const values = readValues(program.takes, words);
    const random = Math.floor(Math.random() * 1_000_000);
    const [text, wrong] = await program.run(values, readInteger(values, "seed", random, 0));
    process.stdout.write(`${text}\n`);
    if (wrong > 0) process.exitCode = 1;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof PlantError)) throw error;
    process.stderr.write(`pnpm chaos ${name}: ${error.message}\n`);
    if (error instanceof UsageError) process.stderr.write(`\n${help}`);
    process.exitCode = 1;
  }
}

await main(process.argv.slice(2));
