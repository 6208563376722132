// SPDX-License-Identifier: Apache-2.0

import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { benchNames } from "./bench.js";
import { type BenchOptions, parseOptions, UsageError, usage } from "./options.js";
import { describeMachine, loadAverage } from "./report/machine.js";
import { describeRun, type Report, toJson } from "./report/report.js";
import { summarize } from "./report/result.js";
import { formatTable } from "./report/table.js";
import { runBenches } from "./run.js";

/** Exit codes as shells have them. */
const exitCodes = { usage: 2, SIGINT: 130, SIGTERM: 143 };

function say(line: string): void {
  process.stderr.write(`» ${line}\n`);
}

async function measureAll(options: BenchOptions): Promise<Report> {
  const machine = describeMachine();
  if (machine.disk === "tmpfs")
    say("the temporary folder is in memory, where a sync costs nothing");
  const before = loadAverage();
  const date = new Date().toISOString();
  const { chain, samples } = await runBenches(options, say);
  // Rows that belong together stand together, unlike in the order of measuring.
  const results = summarize(samples).sort(
    (a, b) => benchNames.indexOf(a.bench) - benchNames.indexOf(b.bench),
  );
  const load = { before, after: loadAverage() };
  const { rounds, warmUpMs, measureMs } = options;
  return { date, machine, load, chain, rounds, warmUpMs, measureMs, results };
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(usage);
    return;
  }
  const report = await measureAll(options);
  process.stdout.write(`${formatTable(report.results)}\n${describeRun(report)}`);
  if (options.out === undefined) return;
  await mkdir(dirname(options.out), { recursive: true });
  await writeFile(options.out, toJson(report));
}

// Child processes and temporary folders go when this process exits, which a signal alone is not.
process.once("SIGINT", () => process.exit(exitCodes.SIGINT));
process.once("SIGTERM", () => process.exit(exitCodes.SIGTERM));
try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`pawl bench: ${error.message}\n${usage}`);
  process.exitCode = exitCodes.usage;
}
