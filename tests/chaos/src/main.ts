// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { damageFiles } from "./disk/damage.ts";
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
import { runPlanted } from "./planted/planted.ts";
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
  --count     simulate: how many seeds from that on; with --seed alone: one, with its steps
               damage: how many cases [700]
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

Exit code 0: nothing was lost, doubled or wrong.
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
  help: { type: "boolean", short: "h" },
} as const;

type Text = Exclude<keyof typeof options, "help" | "write" | "twice">;
type Values = { readonly [K in Text]?: string | undefined } & {
  readonly write?: boolean | undefined;
  readonly twice?: boolean | undefined;
};

function readInteger(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(text)) throw new RangeError(`not a number: ${text}`);
  return Number(text);
}

const onProgress = (line: string): void => void process.stdout.write(`${line}\n`);

/** Each gives its report as text, and how much was wrong. */
const programs: Readonly<
  Record<string, (values: Values, seed: number) => Promise<readonly [string, number]>>
> = {
  async simulate(values, seed) {
    if (values.seed !== undefined && values.count === undefined) {
      const { trace, violations, hash } = await simulate(seed, true);
      return [[...trace, `seed ${seed}, hash ${hash}`].join("\n"), violations.length];
    }
    const count = readInteger(values.count, 1000);
    const twice = values.twice === true;
    const report = await simulateMany({ seed, count, twice, onProgress });
    const [first] = report.failed;
    if (first !== undefined) onProgress(first.trace.join("\n"));
    return [describeSimulations(report), report.failed.length];
  },
  async model(values, seed) {
    const isOne = values.seed !== undefined && values.count === undefined;
    const count = isOne ? 1 : readInteger(values.count, 500);
    const report = await modelMany(seed, count, onProgress);
    const [first] = report.failed;
    if (first !== undefined) onProgress(first.trace.join("\n"));
    return [describeModel(report), report.failed.length];
  },
  async store() {
    const code = await failEachCall();
    return [code === 0 ? "every call of the store may fail" : "some call may not fail", code];
  },
  async planted({ only, count, write }) {
    const more = only === undefined ? {} : { only };
    const results = await runPlanted({ seeds: readInteger(count, 2000), onProgress, ...more });
    if (write === true) writeResults(results);
    const missed = results.filter(({ caughtBy }) => caughtBy === undefined);
    const text = `${results.length - missed.length} of ${results.length} planted faults caught`;
    return [text, missed.length];
  },
  async kill(values, seed) {
    const report = await killServer({
      seed,
      kills: readInteger(values.kills, 50),
      actors: readInteger(values.actors, 48),
      sleepers: readInteger(values.sleepers, 0),
      onProgress,
    });
    return [describeServerKills(report), report.violations.length];
  },
  async "kill-worker"(values, seed) {
    const report = await killWorker({
      seed,
      kills: readInteger(values.kills, 20),
      actors: readInteger(values.actors, 24),
      workers: readInteger(values.workers, 2),
      onProgress,
    });
    return [describeWorkerKills(report), report.violations.length];
  },
  async power(values, seed) {
    const report = await cutPower({ seed, images: readInteger(values.images, 504), onProgress });
    return [describePowerCuts(report), report.violations.length];
  },
  async full(values, seed) {
    const report = await fillDisk({ seed, rounds: readInteger(values.rounds, 200), onProgress });
    return [describeFullDisk(report), report.violations.length];
  },
  async damage(values, seed) {
    const { only = "" } = values;
    const count = readInteger(values.count, 700);
    const report = await damageFiles({ seed, count, only, onProgress });
    return [describeDamage(report), report.violations.length];
  },
  async two(values, seed) {
    const report = await raceProcesses({
      seed,
      rounds: readInteger(values.rounds, 60),
      onProgress,
    });
    return [describeRaces(report), report.violations.length];
  },
};

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  const run = programs[positionals[0] ?? ""];
  if (values.help === true || run === undefined) {
    process.stdout.write(help);
    if (values.help !== true) process.exitCode = 1;
    return;
  }
  const [text, wrong] = await run(
    values,
    readInteger(values.seed, Math.floor(Math.random() * 1_000_000)),
  );
  process.stdout.write(`${text}\n`);
  if (wrong > 0) process.exitCode = 1;
}

await main();
