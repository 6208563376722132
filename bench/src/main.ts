// SPDX-License-Identifier: Apache-2.0

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type BenchOptions, parseOptions, UsageError, usage } from "./options.js";
import { installPeers } from "./peer/install.js";
import { planCases, systemNames, systems } from "./plan.js";
import { describeMachine, loadAverage } from "./report/machine.js";
import { describeRun, keepOthers, type Report, toJson } from "./report/report.js";
import { summarize } from "./report/result.js";
import { formatFacts, formatTable, formatTargets } from "./report/table.js";
import { assessTargets } from "./report/targets.js";
import { runCases } from "./run.js";
import { workloadNames } from "./workload/sample.js";

/** Exit codes as shells have them. */
const exitCodes = { usage: 2, SIGINT: 130, SIGTERM: 143 };

function say(line: string): void {
  process.stderr.write(`» ${line}\n`);
}

async function measureAll(options: BenchOptions): Promise<Report> {
  const { rounds, warmUpMs, measureMs, out } = options;
  const machine = describeMachine();
  if (machine.disk === "tmpfs")
    say("the temporary folder is in memory, where a sync costs nothing");
  const before = loadAverage();
  const date = new Date().toISOString();
  const cases = planCases(options.quick).filter(
    ({ workload, system }) =>
      options.only.has(workload) &&
      options.systems.has(system) &&
      (options.peers || systems[system].needs === undefined),
  );
  const needed = new Set(cases.flatMap(({ system }) => systems[system].needs ?? []));
  const installed = await installPeers(needed, say);
  const { samples, skipped } = await runCases(cases, installed, options, say);
  const measured = samples.map(({ of, rounds: own }) => {
    const { workload, system, size, atOnce } = of;
    return summarize({ workload, system, title: systems[system].title, size, atOnce }, own);
  });
  const earlier = out === undefined ? "" : await readFile(out, "utf8").catch(() => "");
  const kept = earlier === "" ? [] : keepOthers(earlier, machine, measured);
  // Rows that belong together stand together, unlike in the order of measuring.
  const results = [...measured, ...kept].sort(
    (a, b) =>
      workloadNames.indexOf(a.workload) - workloadNames.indexOf(b.workload) ||
      systemNames.indexOf(a.system) - systemNames.indexOf(b.system) ||
      a.size - b.size ||
      a.atOnce - b.atOnce,
  );
  const load = { before, after: loadAverage() };
  const targets = assessTargets(results);
  const reasons = Object.fromEntries(skipped);
  return { date, machine, load, rounds, warmUpMs, measureMs, targets, skipped: reasons, results };
}

/** A report that was written before; its targets as they are now. */
async function readReport(file: string): Promise<Report> {
  const report: Report = JSON.parse(await readFile(file, "utf8"));
  return { ...report, targets: assessTargets(report.results) };
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(usage);
    return;
  }
  const report =
    options.print === undefined ? await measureAll(options) : await readReport(options.print);
  const { results, targets } = report;
  const parts = [
    formatTable(results),
    formatFacts(results),
    formatTargets(targets),
    describeRun(report),
  ];
  process.stdout.write(parts.join("\n"));
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
