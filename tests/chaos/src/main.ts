// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { killServer } from "./kill-server.ts";
import { killWorker } from "./kill-worker.ts";
import { describeServerKills, describeWorkerKills } from "./report.ts";

const help = `Usage: pnpm chaos kill        [--seed N] [--kills N] [--actors N] [--sleepers N]
       pnpm chaos kill-worker [--seed N] [--kills N] [--actors N] [--workers N]

kill         kills a server with SIGKILL again and again under load, and checks what is left
kill-worker  kills workers with SIGKILL in the middle of their activities, and checks likewise

  --seed      decides what is asked and when is killed [a random number]
  --kills     how often [kill: 50, kill-worker: 20]
  --actors    callers side by side [kill: 48, kill-worker: 24]
  --sleepers  instances that lie asleep from the beginning [0]
  --workers   workers side by side [2]

Exit code 0: nothing was lost, doubled or wrong.
`;

const options = {
  seed: { type: "string" },
  kills: { type: "string" },
  actors: { type: "string" },
  sleepers: { type: "string" },
  workers: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

function readInteger(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(text)) throw new RangeError(`not a number: ${text}`);
  return Number(text);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  const [program] = positionals;
  const seed = readInteger(values.seed, Math.floor(Math.random() * 1_000_000));
  const onProgress = (line: string): void => void process.stdout.write(`${line}\n`);
  if (values.help !== true && program === "kill") {
    const report = await killServer({
      seed,
      kills: readInteger(values.kills, 50),
      actors: readInteger(values.actors, 48),
      sleepers: readInteger(values.sleepers, 0),
      onProgress,
    });
    conclude(describeServerKills(report), report.violations.length);
  } else if (values.help !== true && program === "kill-worker") {
    const report = await killWorker({
      seed,
      kills: readInteger(values.kills, 20),
      actors: readInteger(values.actors, 24),
      workers: readInteger(values.workers, 2),
      onProgress,
    });
    conclude(describeWorkerKills(report), report.violations.length);
  } else {
    process.stdout.write(help);
    if (values.help !== true) process.exitCode = 1;
  }
}

function conclude(text: string, violations: number): void {
  process.stdout.write(`${text}\n`);
  if (violations > 0) process.exitCode = 1;
}

await main();
